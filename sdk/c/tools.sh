# Sourced by test.sh and fuzz.sh, in the folder of the Makefile. It installs programs, puts onnxruntime into
# build/c/onnxruntime, and compiles.
. sdk/java/tools.sh
mkdir -p build/c

# onnxruntime_here: headers to build/c/onnxruntime/include, the library to build/c/onnxruntime/lib.
onnxruntime_here() {
    need unzip unzip mvn maven npm npm
    local processor
    case $(uname -sm) in
        "Linux x86_64") processor=linux-x64 ;;
        "Linux aarch64") processor=linux-aarch64 ;;
        *) unavailable "There is no onnxruntime for $(uname -sm) among what this downloads" ;;
    esac
    fetch onnxruntime
    onnxruntime=build/c/onnxruntime
    rm -rf "$onnxruntime"
    mkdir -p "$onnxruntime"
    unzip -q -j "$fetched" "ai/onnxruntime/native/$processor/libonnxruntime.so" -d "$onnxruntime/lib"
    ln -s libonnxruntime.so "$onnxruntime/lib/libonnxruntime.so.1" # the name that programs look for
    fetch_npm onnxruntime.aar || unavailable "onnxruntime's headers cannot be downloaded by npm: see build/npm.log"
    unzip -q -j "$fetched" 'headers/onnxruntime*.h' 'headers/onnxruntime*.inc' -d "$onnxruntime/include"
}

# compile OUT COMPILER FLAGS... FILES...: compiles all sources of the core and some of the tests to a program.
compile() {
    local out=$1 compiler=$2
    shift 2
    nice -n 10 "$compiler" -std=gnu11 -g -Wall -Wextra -Werror "$@" -Isdk/c/include -Isdk/c/src -Ibuild/c/onnxruntime/include \
        sdk/c/src/*.c sdk/c/test/support.c -o "$out" -Lbuild/c/onnxruntime/lib -lonnxruntime \
        -Wl,-rpath,"$PWD/build/c/onnxruntime/lib" -lpng -lm -lpthread
}
