#!/usr/bin/env bash
# Tests the SDK's wheel on each supported Python that is installed. If one is missing, the status is 75 after the others
# have passed.
set -euo pipefail
cd "$(dirname "$0")/.."

# Prints a Python of that version, from the path or from pyenv's folder. pyenv's launchers start only the selected
# version.
find_python() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" -c 'import ensurepip' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

missing=()
for version in 3.11 3.12 3.13; do
    python=$(find_python "$version")
    if [ -n "$python" ]; then
        sdk/test-wheel.sh "$python"
    else
        missing+=("$version")
    fi
done
[ ${#missing[@]} = 0 ] || {
    echo "not tested: Python ${missing[*]}, which this machine does not have" >&2
    exit 75
}
