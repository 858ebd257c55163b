#!/usr/bin/env bash
# Runs `make demo`'s training and export for several seeds, in float32 and bfloat16, each with three instruction sets.
# No check of the export may depend on a processor's rounding. Prints a table. The status is 1 if an export failed or
# did not write both files. SEEDS, PRECISIONS and ISAS select fewer runs. Networks that are already in build/demo-seeds
# are not trained again.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
read -ra seeds <<<"${SEEDS:-1 2 3 4 5}"
read -ra precisions <<<"${PRECISIONS:-32-true bf16-mixed}"
read -ra isas <<<"${ISAS:-AVX2 AVX512_CORE DEFAULT}"

table=(seed,training,processor,status,agreement,points-lost,files)
failed=0
for seed in "${seeds[@]}"; do
    data=build/demo-seeds/data-$seed
    [[ -d $data ]] || scriptkd data render --out "$data" --words-per-script 1500 --seed "$seed"
    for precision in "${precisions[@]}"; do
        for isa in "${isas[@]}"; do
            export ONEDNN_MAX_CPU_ISA=$isa
            run=build/demo-seeds/$seed-$precision-$isa
            if [[ ! -f $run/student.pt ]]; then
                sed "s/^seed: .*/seed: $seed\nprecision: $precision/" train/scriptkd_train/recipes/demo.yaml >"$run.yaml"
                scriptkd train "$run.yaml" --data "$data" --out "$run"
            fi
            rm -rf "$run/export"
            status=0
            scriptkd-export --ckpt "$run/student.pt" --data "$data" --quantize fp32 --quantize int8 --out "$run/export" \
                >"$run/export.log" 2>&1 || status=$?
            [[ $status == 0 && -f $run/export/student.onnx && -f $run/export/student.int8.onnx ]] || failed=1
            found() { sed -n "/^student.int8.onnx/,\$s/.* $1.*/\\1/p" "$run/export.log"; }
            agreement=$(found 'top-1 agreement: \([0-9.]*%\)')
            lost=$(found '\([+-][0-9.]*\) points lost')
            files=$(find "$run/export" -name '*.onnx' -printf '%f ' 2>/dev/null || true)
            table+=("$seed,$precision,$isa,$status,${agreement:--},${lost:--},${files:--}")
        done
    done
done
printf '%s\n' "${table[@]}" | column -t -s,
exit $failed
