#!/usr/bin/env bash
# Builds the Swift package and tests it on Linux, with Debian's Swift: `make test-swift`. It runs golden vectors, errors
# and concurrency, builds a project that uses the package, and checks Apple's part as far as Linux allows.
set -euo pipefail
cd "$(dirname "$0")/../.."
. sdk/swift/tools.sh
need git git
onnxruntime_here
swift_here

mkdir -p build/swift/pkgconfig
cat >build/swift/pkgconfig/libonnxruntime.pc <<END
Name: onnxruntime
Description: onnxruntime
Version: 1.17
Cflags: -I$PWD/build/c/onnxruntime/include
Libs: -L$PWD/build/c/onnxruntime/lib -lonnxruntime
END
status=0
can_mount && in_root swift --version || status=$?
[ $status != 75 ] || unavailable "Swift: this machine does not let a folder be mounted for its root"
[ $status = 0 ] || fail "Swift: the compiler does not run"

in_root swift-format lint --strict --recursive sdk/swift/{Package.swift,Sources/Scriptkd,Tests,Demo,consumer}

echo "--- XCTest"
nice -n 10 .venv/bin/python sdk/swift/pixels.py build/swift/pixels
rm -rf build/swift/tests # an earlier build would not see new test files
in_root swift test --disable-swift-testing --package-path sdk/swift --scratch-path build/swift/tests

echo "--- a project that depends on the package"
sdk/swift/package.sh
rm -rf build/swift/consumer
cp -R sdk/swift/consumer build/swift/consumer
in_root env SCRIPTKD_PACKAGE="$PWD/build/swift/scriptkd" swift build -c release --package-path build/swift/consumer
read -r name width height < <(.venv/bin/python -c 'import json, sys
print(*next((v["name"], v["width"], v["height"]) for v in json.load(sys.stdin)["vectors"] if v["channels"] == 3))' <sdk/contract/golden/golden.json)
word=build/swift/pixels/$name.bin
said=$(in_root build/swift/consumer/.build/release/words "$width" "$height" "$word" sdk/contract/golden/README.md LICENSE)
echo "$said"
[ "$(grep -cE '^[A-Z][a-z]+ [A-Z][a-z]{3} [01]\.[0-9]+$' <<<"$said")" -ge 1 ] || fail "the project says another thing"

echo "--- Apple: the manifest, the demo's syntax, objects of the C core"
mkdir -p build/swift/manifest
sed 's/#if os(Linux)/#if !os(Linux)/' sdk/swift/Package.swift >build/swift/manifest/Package.swift
described=$(in_root swift package --package-path build/swift/manifest dump-package)
grep -q '"type" : "binary"' <<<"$described" || fail "Package.swift names no xcframework for Apple's platforms"
in_root swiftc -frontend -parse sdk/swift/Demo/*.swift
# The xcframework holds frameworks. Its headers are the same as those unpacked by onnxruntime_here.
frameworks=build/swift/frameworks
mkdir -p $frameworks/onnxruntime.framework
rm -rf $frameworks/onnxruntime.framework/Headers
cp -R build/c/onnxruntime/include $frameworks/onnxruntime.framework/Headers
zig=build/swift/zig
[ -d $zig/ziglang ] || .venv/bin/pip install --quiet --disable-pip-version-check --target $zig ziglang==0.17.1 ||
    unavailable "zig cannot be downloaded by pip, so nothing was compiled for Apple's platforms"
# zig has Apple's C headers, but finds them by default only for macOS.
export ZIG_GLOBAL_CACHE_DIR=$PWD/build/swift/zig-cache ZIG_LOCAL_CACHE_DIR=$PWD/build/swift/zig-cache
for system in ios macos; do
    objects=build/swift/objects/$system
    rm -rf "$objects"
    mkdir -p "$objects"
    for source in sdk/swift/Sources/CScriptkd/src/*.c; do
        object=$objects/$(basename "$source" .c).o
        PYTHONPATH=$zig nice -n 10 .venv/bin/python -m ziglang cc -target aarch64-$system -std=gnu11 -O2 -Wall -Wextra -Werror \
            -isystem $zig/ziglang/lib/libc/include/any-darwin-any -Isdk/swift/Sources/CScriptkd/include -Isdk/swift/Sources/CScriptkd/apple -F$frameworks -c "$source" -o "$object"
        [ "$(od -An -tx4 -N8 "$object" | tr -d ' ')" = feedfacf0100000c ] || fail "$object is no object for 64-bit ARM of Apple's kind"
    done
    echo "$system, arm64: $(find "$objects" -name '*.o' | wc -l) objects"
done
