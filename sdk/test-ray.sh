#!/usr/bin/env bash
# The example for millions of files, with Ray in a virtual environment of its own. Status 75: Ray could not be downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m venv build/ray
build/ray/bin/pip install --quiet 'ray[data]' pytest onnx || exit 75
build/ray/bin/pip install --quiet .
RAY_USAGE_STATS_ENABLED=0 build/ray/bin/python -m pytest -p no:cacheprovider tests/sdk/test_ray_example.py
