#!/usr/bin/env bash
# The whole chain, small enough for two cores. `make demo` runs it after set-up. All output is in build/demo.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
rm -rf build/demo
mkdir -p build/demo

number=0
step() { # HEADLINE COMMAND...: prints headline and command, runs the command, and prints how long it took
    local headline=$1 start=$SECONDS
    shift
    number=$((number + 1))
    printf '\n=== %d/5 %s\n$ %s\n' "$number" "$headline" "$*"
    "$@" || {
        printf '=== %d/5 failed after %d s\n' "$number" $((SECONDS - start)) >&2
        exit 1
    }
    printf -- '--- %d/5 took %d s\n' "$number" $((SECONDS - start))
}

step "Render words in ten scripts from the installed fonts" \
    scriptkd data render --out build/demo/data --words-per-script 1500 --seed 1
step "Distil teacher -> assistant -> student" \
    scriptkd train demo --data build/demo/data --out build/demo/run
step "Export the student to ONNX, fp32 and int8, and check it against torch" \
    scriptkd-export --ckpt build/demo/run/student.pt --data build/demo/data --quantize fp32 --quantize int8
step "Identify the sample crops with the SDK's bundled model" \
    scriptkd identify samples
step "Benchmark the trained chain" \
    scriptkd bench --run build/demo/run --data build/demo/data

printf '\n=== Demo done in %d min %d s; its output is in build/demo\n' $((SECONDS / 60)) $((SECONDS % 60))
