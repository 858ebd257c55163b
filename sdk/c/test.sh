#!/usr/bin/env bash
# Builds the C core and runs its tests: `make test-c`. They are golden vectors and errors under sanitizers, threads,
# projects that use the installed library, a comparison with the Python SDK, and a short fuzz run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. sdk/c/tools.sh
need gcc gcc g++ g++ cmake cmake make make pkg-config pkg-config libpng-config libpng-dev
onnxruntime_here
sdk=$PWD/sdk
skipped=()

echo "--- golden vectors and errors, under the address and undefined-behaviour sanitizers"
for name in golden units; do
    compile "build/c/$name" gcc -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined "sdk/c/test/$name.c"
    (cd build/c && nice -n 10 "./$name" "$sdk")
done

echo "--- eight threads, under the thread sanitizer"
compile build/c/threads gcc -O1 -fsanitize=thread sdk/c/test/threads.c
(cd build/c && nice -n 10 ./threads "$sdk")

echo "--- projects that use the installed library, static and shared"
[ "$(sed -n 's/^project(scriptkd VERSION \([0-9.]*\).*/\1/p' sdk/c/CMakeLists.txt)" = "$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" ] ||
    fail "sdk/c/CMakeLists.txt has another version than pyproject.toml"
model=sdk/scriptkd_sdk/models/student.onnx
for kind in static shared; do
    prefix=$PWD/build/c/$kind/prefix
    rm -rf "build/c/$kind"
    libraries=OFF
    [ "$kind" = static ] || libraries=ON
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    # One chain, as `set -e` has no effect before ||.
    # shellcheck disable=SC2046
    {
        cmake -S sdk/c -B "build/c/$kind/library" -DBUILD_SHARED_LIBS=$libraries -DCMAKE_INSTALL_PREFIX="$prefix" \
            -DCMAKE_INSTALL_LIBDIR=lib -Donnxruntime_ROOT="$PWD/build/c/onnxruntime" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" &&
            nice -n 10 cmake --build "build/c/$kind/library" &&
            cmake --install "build/c/$kind/library" &&
            cmake -S sdk/c/test/consumer -B "build/c/$kind/consumer" -DCMAKE_PREFIX_PATH="$prefix" &&
            nice -n 10 cmake --build "build/c/$kind/consumer" &&
            gcc -Wall -Wextra -Werror sdk/c/test/consumer/main.c $(pkg-config --cflags --libs scriptkd) -o "build/c/$kind/by-pkg-config"
    } >"build/c/$kind.log" 2>&1 || {
        tail -30 "build/c/$kind.log"
        fail "The $kind library: see build/c/$kind.log"
    }
    library=$prefix/lib
    export LD_LIBRARY_PATH="$library:$PWD/build/c/onnxruntime/lib"
    for program in consumer/consumer by-pkg-config; do
        said=$("build/c/$kind/$program" $model build/c/golden.ppm)
        echo "$kind, $program: $said"
        [[ $said == "Tamil Taml "* ]] || fail "$kind, $program says another thing"
    done
    [ "$(build/c/$kind/consumer/consumer-cpp $model)" = "10 scripts" ] || fail "$kind, C++"
done
exported=$(nm -D --defined-only "$library/libscriptkd.so" | awk '{print $3}' | sort | tr '\n' ' ')
[ "$exported" = "scriptkd_close scriptkd_identify scriptkd_model_info scriptkd_open scriptkd_open_memory scriptkd_prediction_free " ] ||
    fail "The shared library exports $exported"

wheel=$(find .venv -name 'libonnxruntime.so.1.*' 2>/dev/null | head -1)
if [ -n "$wheel" ]; then
    echo "--- the same answers and error messages as the Python SDK"
    nice -n 10 .venv/bin/python sdk/c/test/compare.py "$library/libscriptkd.so"
    echo "--- nothing is written, with an onnxruntime that has telemetry"
    rm -rf build/c/telemetry
    mkdir -p build/c/telemetry/{lib,on,off}
    ln -s "$PWD/$wheel" build/c/telemetry/lib/libonnxruntime.so.1
    nice -n 10 gcc -std=gnu11 -Isdk/c/include -Ibuild/c/onnxruntime/include sdk/c/src/*.c sdk/c/test/consumer/main.c \
        -o build/c/telemetry/consumer build/c/telemetry/lib/libonnxruntime.so.1 -lm
    for wanted in on off; do
        folder=$PWD/build/c/telemetry/$wanted
        variable=(ORT_DISABLE_TELEMETRY=0)
        [ $wanted = on ] || variable=() # the library sets it
        # An empty environment, because onnxruntime sends nothing if variables of a CI or build service are set.
        env -i "${variable[@]}" PATH="$PATH" HOME="$folder" TMPDIR="$folder" \
            LD_LIBRARY_PATH="$PWD/build/c/telemetry/lib" build/c/telemetry/consumer $model build/c/golden.ppm >/dev/null
        echo "telemetry $wanted: $(find "$folder" -type f | wc -l) files written"
    done
    [ -z "$(find build/c/telemetry/off -type f)" ] || fail "Files were written: build/c/telemetry/off"
    [ -n "$(find build/c/telemetry/on -type f)" ] || fail "No files were written with telemetry either: this shows nothing"
else
    skipped+=("the comparison with the Python SDK, which needs .venv (make setup)")
fi

echo "--- fuzzer"
status=0
sdk/c/fuzz.sh 2000 || status=$?
[ "$status" != 75 ] || skipped+=("the fuzzer, which needs clang")
[ "$status" = 75 ] || [ "$status" = 0 ] || exit "$status"

if [ ${#skipped[@]} -gt 0 ]; then
    printf 'SKIPPED: %s\n' "${skipped[@]}"
    exit 75
fi
