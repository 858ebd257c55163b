#!/usr/bin/env bash
# Runs this checkout's SDK in emulated AArch64 Python: python.sh CPU ARGUMENT... CPU is a name that qemu knows. QEMU and
# QEMU_PLUGIN choose another build of qemu and its plugin.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/build/arm64
cpu=$1
shift
exec "${QEMU:-$here/qemu/qemu-aarch64}" ${QEMU_PLUGIN:+-plugin "$QEMU_PLUGIN" -d plugin} -cpu "$cpu" -L "$here/root" \
    -E PYTHONPATH="$root/sdk:$here/site" -E PYTHONDONTWRITEBYTECODE=1 -E OMP_NUM_THREADS=1 -E OPENBLAS_NUM_THREADS=1 \
    "$here/root/usr/bin/python3.11" "$@"
