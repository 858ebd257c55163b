# Sourced by sdk/java/test.sh and android-demo/build.sh, in the folder of the Makefile: programs and downloads.
# Downloads lie in build/maven, and are used only if their SHA-256 is the one in sdk/java/artifacts.txt.

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# need PROGRAM PACKAGE...: what is missing is installed by apt, which only root may do.
need() {
    local missing=()
    while [ $# -gt 0 ]; do
        command -v "$1" >/dev/null || missing+=("$2")
        shift 2
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
        fail "These Debian packages are needed; install them as root: apt-get install ${missing[*]}"
    echo "Installing ${missing[*]}"
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"; } \
        >build/apt.log 2>&1 || fail "apt-get could not install ${missing[*]}: see build/apt.log"
}

# fetch ARTIFACT: downloads the jar or aar with this name, and sets $fetched to its path; fails where it is not to be had.
fetch() {
    local hash coordinates name version packaging
    read -r hash coordinates < <(grep -E "^[0-9a-f]{64}  [^:]+:$1:" sdk/java/artifacts.txt)
    IFS=: read -r _ name version packaging <<<"$coordinates"
    fetched=build/maven/$name-$version.${packaging:-jar}
    if ! [ -f "$fetched" ]; then
        echo "Downloading $coordinates"
        mvn -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="$coordinates" \
            -DoutputDirectory="$PWD/build/maven" >"build/maven-$name.log" 2>&1 || return 1
    fi
    echo "$hash  $fetched" | sha256sum --check --status || fail "$fetched is not the file it should be: delete it and try again."
}
