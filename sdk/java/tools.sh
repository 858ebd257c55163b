# Sourced by sdk/java/test.sh and android-demo/build.sh, in the folder of the Makefile: programs and downloads.
# Downloads are stored in build/maven, and used only if their SHA-256 is the one in sdk/java/artifacts.txt.

# These tools run for seconds. A JVM that compiles quickly rather than well halves their processor time.
quickly=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC)
export MAVEN_OPTS=${MAVEN_OPTS:-${quickly[*]}}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Status 75 means that a download failed and nothing else, so that a test can be skipped.
unavailable() {
    printf '%s\n' "$*" >&2
    exit 75
}

# need PROGRAM PACKAGE...: installs missing packages by apt, which needs root.
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
    mkdir -p build
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
        mkdir -p build/maven
        mvn -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="$coordinates" \
            -DoutputDirectory="$PWD/build/maven" >"build/maven-$name.log" 2>&1 ||
            unavailable "$coordinates cannot be downloaded by Maven: see build/maven-$name.log"
    fi
    check "$hash"
}

# fetch_npm FILE: as fetch, for a file in an npm package, but fails if it cannot be downloaded.
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

# maven LOG ARGUMENTS...: runs Maven. A failed download is status 75; any other error is a failure.
maven() {
    local log=$1
    shift
    mvn -B "$@" >"$log" 2>&1 && return
    ! grep -qE 'Could not (resolve|transfer|find)|could not be resolved' "$log" || unavailable "Maven cannot download what it needs: see $log"
    fail "Maven fails: $(grep -m3 ERROR "$log"); see $log"
}

# java8 ARGUMENTS...: compiles for Java 8, and fails at any warning but one. JSpecify's annotations name a target that
# Java 8 lacks. javac always warns of it.
java8() {
    local said
    said=$(javac "${quickly[@]/#/-J}" --release 8 -Xlint:all,-options,-classfile -encoding UTF-8 "$@" 2>&1) || fail "$said"
    said=$(grep -vE '^(warning: unknown enum constant ElementType.MODULE|[0-9]+ warnings?)?$' <<<"$said") || return 0
    fail "$said"
}

check() {
    echo "$1  $fetched" | sha256sum --check --status || fail "$fetched is not the file it should be: delete it and try again."
}
