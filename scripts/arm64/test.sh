#!/usr/bin/env bash
# The Python SDK's golden tests on emulated AArch64: cortex-a53 without and cortex-a76 with an 8-bit dot product.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/arm64/prepare.sh
for cpu in cortex-a53 cortex-a76; do
    echo "arm64: golden vectors on an emulated $cpu"
    scripts/arm64/python.sh "$cpu" -m pytest -p no:cacheprovider -q -s tests/contract
done
