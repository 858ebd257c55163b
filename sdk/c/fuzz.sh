#!/usr/bin/env bash
# Fuzzes the C core with damaged metadata, model files and pictures, under the address and undefined-behaviour
# sanitizers. `sdk/c/fuzz.sh` tries 1,000,000 inputs, `sdk/c/fuzz.sh 5000` tries 5000. It leaves failing inputs in
# build/c/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
. sdk/c/tools.sh
runs=${1:-1000000}
need clang clang libpng-config libpng-dev
[ -f build/c/onnxruntime/include/onnxruntime_c_api.h ] || onnxruntime_here
fuzzing=(-O2 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined)
if ! compile build/c/fuzzer clang "${fuzzing[@]}" sdk/c/test/fuzz.c 2>build/c/fuzzer.log; then
    # clang's package lacks its sanitizers' libraries.
    runtime=libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev
    need clang-without-its-runtime "$runtime"
    compile build/c/fuzzer clang "${fuzzing[@]}" sdk/c/test/fuzz.c
fi

folder=build/c/fuzz
rm -rf "$folder"
mkdir -p "$folder/inputs"
metadata=$(grep -a -o '{"format".*}' sdk/web/test/models/any-crop.onnx | head -1)
printf '\0%s' "$metadata" >"$folder/inputs/model"
printf '\2%s' "$metadata" >"$folder/inputs/metadata"
printf '\200\1\0\3\37\27\0\0a gray picture' >"$folder/inputs/picture"
printf '\201\1\0\3\37\27\0\0a whole picture' >"$folder/inputs/whole"
# Leaks are checked only at the end: onnxruntime keeps memory between runs, so each run would need a check.
SCRIPTKD_SDK=sdk nice -n 10 build/c/fuzzer -runs="$runs" -max_len=1000 -dict=sdk/c/test/fuzz.dict -detect_leaks=0 -timeout=120 \
    -artifact_prefix="$folder/" -print_final_stats=1 "$folder/inputs" >"$folder/log" 2>&1 || {
    tail -60 "$folder/log"
    fail "The fuzzer found a fault: see $folder"
}
grep -E '^Done|executed_units|peak_rss' "$folder/log"
