#!/usr/bin/env bash
# Builds all packages of the last commit in build/release, with checksums and a list that describes each: `make release`.
# Uncommitted changes are not included. A part whose tools are missing is named and left out; the status is then 75. All
# files have the commit's date (SOURCE_DATE_EPOCH), so that building twice gives the same checksums.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
release=$root/build/release
source=$root/build/release-source
python=$root/.venv/bin/python
left_out=0
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
commit=$(git rev-parse HEAD) || fail "A release is built from a git repository."
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC GIT_AUTHOR_DATE=@$SOURCE_DATE_EPOCH GIT_COMMITTER_DATE=@$SOURCE_DATE_EPOCH
umask 022

rm -rf "$release" "$source"
mkdir -p "$release" "$source/build" build/maven
git archive "$commit" | tar -x -C "$source"
ln -s "$root/build/maven" "$source/build/maven" # downloads, checked by SHA-256
"$python" "$source/scripts/versions.py" "$source"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/pyproject.toml")
changed=
[ -z "$(git status --porcelain)" ] || changed=", without uncommitted changes"
printf 'scriptkd %s, built from commit %s%s.\nLicence: Apache-2.0. Checksums: sha256sum --check SHA256SUMS.\n' "$version" "$commit" "$changed" >"$release/MANIFEST"

# part WORDS PROGRAMS FUNCTION: builds one part in its own process, or prints why it is left out.
part() {
    local program status=0
    for program in $2; do
        if ! command -v "$program" >/dev/null; then
            echo "LEFT OUT: $1: $program is not installed"
            left_out=1
            return
        fi
    done
    set +e # within an if or beside ||, set -e would also be off inside the function
    (set -e; cd "$source"; "$3")
    status=$?
    set -e
    case $status in
        0) ;;
        75) echo "LEFT OUT: $1: a download failed, see above"; left_out=1 ;;
        *) fail "$1: failed with status $status" ;;
    esac
}

# made FILE WORDS: adds the file's line to the list.
made() {
    [ -f "$release/$1" ] || fail "$1 was not built"
    printf '\n%s (%s bytes)\n    %s\n' "$1" "$(wc -c <"$release/$1" | tr -d ' ')" "$2" >>"$release/MANIFEST"
}

# archive NAME FOLDER: packs the folder's files as NAME/ into build/release/NAME.tar.gz, in a fixed order and with one
# date.
archive() {
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        --transform "s|^\.|$1|" -C "$2" -cf - . | gzip -9n >"$release/$1.tar.gz"
}

python_packages() {
    if ! "$python" -m build --outdir "$release" . >build/python.log 2>&1; then
        ! grep -qE 'No matching distribution|Could not find a version|ConnectionError' build/python.log || exit 75
        fail "$(tail -n 5 build/python.log)"
    fi
    rm -f "$release/.gitignore"
    made "scriptkd-$version-py3-none-any.whl" "Python 3.11 or newer: pip install FILE. The SDK with its models; the extras [train], [export], [bench] and [page] add packages."
    made "scriptkd-$version.tar.gz" "Python's source distribution: the wheel's sources, and the tests."
}

npm_packages() {
    local folder
    for folder in web react-native; do
        (cd "sdk/$folder" && npm pack --silent --pack-destination "$release" >/dev/null)
    done
    made "scriptkd-$version.tgz" "JavaScript in browsers and Node.js, with models: npm install FILE."
    made "scriptkd-react-native-$version.tgz" "React Native, with models: npm install FILE. It depends on scriptkd-$version.tgz."
}

maven_repository() {
    local metadata sum
    sdk/java/maven.sh
    find build/maven-repository -name maven-metadata.xml | while read -r metadata; do # it holds the time of day
        sed -i "s|<lastUpdated>.*</lastUpdated>|<lastUpdated>$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)</lastUpdated>|" "$metadata"
        for sum in "$metadata".{md5,sha1}; do
            "${sum##*.}sum" "$metadata" | cut -d ' ' -f 1 | tr -d '\n' >"$sum"
        done
    done
    archive "scriptkd-maven-$version" build/maven-repository
    made "scriptkd-maven-$version.tar.gz" "Java 8 or newer, Kotlin, Android 8.0 or newer: a Maven repository with org.scriptkd:scriptkd-sdk, -models and -android. Unpack it and name its folder."
}

c_sources() {
    local folder=build/c-sources
    mkdir -p $folder/models
    cp -R sdk/c/{CMakeLists.txt,README.md,cmake,include,src} LICENSE NOTICE $folder
    cp sdk/scriptkd_sdk/models/* $folder/models
    archive "scriptkd-c-$version" $folder
    made "scriptkd-c-$version.tar.gz" "C and C++: sources with CMake and pkg-config, and the models. It needs onnxruntime 1.17 or newer."
}

swift_package() {
    local bundle=$release/scriptkd-swift-$version.bundle
    sdk/swift/package.sh
    git -C build/swift/scriptkd -c pack.threads=1 bundle create --quiet "$bundle" HEAD main "$version"
    made "${bundle##*/}" "Swift: the package with models, as a git repository in one file. Get it with its tag by: git clone FILE scriptkd."
}

models() {
    local folder=build/models
    mkdir -p $folder
    cp sdk/scriptkd_sdk/models/* LICENSE NOTICE $folder
    archive "scriptkd-models-$version" $folder
    made "scriptkd-models-$version.tar.gz" "The models alone, for any SDK, each with its card; SHA256SUMS."
}

part "Python's packages" "" python_packages
part "npm's packages" "node npm" npm_packages
part "the Maven repository" "javac jar javadoc mvn unzip" maven_repository
part "the C core's sources" "" c_sources
part "the Swift package" "" swift_package
part "the models" "" models

(cd "$release" && sha256sum MANIFEST scriptkd-* >SHA256SUMS)
rm -rf "$source"
cat "$release/MANIFEST"
echo
echo "build/release: $(ls "$release" | wc -l) files, $(du -sh "$release" | cut -f 1)"
[ $left_out = 0 ] || exit 75
