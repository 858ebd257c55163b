#!/usr/bin/env bash
# Set-up for `make`: fonts, word lists and tools by apt, then .venv with every Python package.
# The Makefile runs it when .venv is missing or older than pyproject.toml or scripts/apt-packages.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

# Measured: .venv has 6.1 GB, with torch and the CUDA libraries of its ordinary build. While pip works, .venv and the
# downloads take 9.1 GB. Fonts and word lists take 0.7 GB.
disk_needed_gb=10
extras="train,export,bench,page,dev"

say() { printf 'set-up: %s\n' "$*"; }
fail() {
    printf 'set-up: %s\n' "$*" >&2
    exit 1
}

# Sets $python to a Python that is new enough, or to nothing, and $too_old to the version of an older one.
find_python() {
    local candidate version
    python="" too_old=""
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            python=$candidate python_version=$version
            return
        fi
        too_old=$version
    done
}

# Prints the given packages that are installed.
installed() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | awk '$1 == "installed" { print $2 }'
}

# Prints the given packages that the release has, according to the downloaded package lists.
available() {
    LC_ALL=C apt-cache policy "$@" | awk '/^[^ ]/ { name = $1; sub(/:$/, "", name) }
                                          $1 == "Candidate:" && $2 != "(none)" { print name }'
}

install_system_packages() {
    local wanted missing root=() apt_get
    mapfile -t wanted < <(sed 's/#.*//; /^[[:space:]]*$/d' scripts/apt-packages.txt)
    if [ -z "$python" ]; then
        wanted+=(python3 python3-venv)
    elif ! "$python" -c 'import ensurepip' 2>/dev/null; then
        wanted+=("python$python_version-venv") # Debian has a separate package for `python -m venv`
    fi

    command -v apt-get >/dev/null || fail "there is no apt-get here, and set-up by make is for Debian and Ubuntu." \
        "Elsewhere, install fonts and aspell word lists by hand, then run:" \
        "python3 -m venv .venv && .venv/bin/pip install -e '.[$extras]' && touch .venv/.installed"

    mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(installed "${wanted[@]}" | sort -u))
    [ ${#missing[@]} -gt 0 ] || return 0

    if [ "$(id -u)" != 0 ]; then
        if sudo -n true 2>/dev/null; then
            root=(sudo -n)
        else
            skip_unavailable
            [ ${#missing[@]} -gt 0 ] || return 0
            fail "${#missing[@]} system packages are missing and only root may install them. Run this, then make again:" \
                "sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
        fi
    fi
    say "installing system packages (fonts, word lists, tools): ${#missing[@]} are missing"
    apt_get=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    "${apt_get[@]}" update || say "apt-get update failed; continuing with the existing package lists"
    skip_unavailable
    [ ${#missing[@]} -gt 0 ] || return 0
    "${apt_get[@]}" install -y --no-install-recommends "${missing[@]}" ||
        fail "apt-get could not install the system packages; its message is above. Put it right and run make again."
}

# Removes from $missing what this release does not have: the lists differ slightly between Debian and Ubuntu releases.
skip_unavailable() {
    local known unknown
    compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || return 0 # never updated: nothing is known yet
    mapfile -t known < <(available "${missing[@]}" | sort -u)
    mapfile -t unknown < <(comm -23 <(printf '%s\n' "${missing[@]}") <(printf '%s\n' "${known[@]}"))
    [ ${#unknown[@]} = 0 ] || say "skipped, not in this release: ${unknown[*]}"
    missing=("${known[@]}")
}

install_python_packages() {
    # An interrupted set-up, or an upgrade of the system's Python, leaves a .venv that cannot install.
    if ! .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        say "creating .venv with Python $python_version"
        "$python" -m venv --clear .venv || fail "$python could not create .venv; its message is above."
    fi
    say "installing Python packages into .venv (a few minutes the first time)"
    # pip downloads 3 GB to its temporary folder, and /tmp is often a small file system in memory. A cache would take
    # another 3 GB in the home folder.
    rm -rf .venv/tmp # left by an interrupted run
    mkdir .venv/tmp
    TMPDIR="$PWD/.venv/tmp" PIP_DISABLE_PIP_VERSION_CHECK=1 \
        .venv/bin/python -m pip install --no-input --no-cache-dir -e ".[$extras]" ||
        fail "pip could not install the Python packages; its message is above. Put it right and run make again."
    rm -rf .venv/tmp
}

find_python
[ -n "$python" ] || [ -z "$too_old" ] ||
    fail "Python 3.11 or newer is needed and only Python $too_old is here. Install one, for example python3.12, and run make again."

if ! compgen -G '.venv/lib/python3*/site-packages/torch' >/dev/null; then
    free_gb=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024 / 1024) }')
    [ "$free_gb" -ge "$disk_needed_gb" ] ||
        fail "$disk_needed_gb GB of free disk are needed, mostly for torch, and only $free_gb GB are free in $PWD."
fi

install_system_packages
[ -n "$python" ] || find_python
[ -n "$python" ] || fail "Python 3.11 or newer is needed and this release has only Python ${too_old:-older than that}."
install_python_packages
touch .venv/.installed
say "done"
