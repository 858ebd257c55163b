#!/usr/bin/env bash
# The SDK's wheel and tests on each Python that it names: those that are here. Ends with status 75, after the others have
# passed, where one of them is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# Prints a Python of that version: on the path, or in pyenv, whose launchers start only the one that is chosen.
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
