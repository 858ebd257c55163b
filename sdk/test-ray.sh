#!/usr/bin/env bash
# The two examples with Ray, in a virtual environment of their own. Status 75: Ray could not be downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m venv build/ray
build/ray/bin/pip install --quiet 'ray[data]' pytest onnx || exit 75
build/ray/bin/pip install --quiet '.[page]'
RAY_USAGE_STATS_ENABLED=0 build/ray/bin/python -m pytest -p no:cacheprovider \
    tests/sdk/test_ray_example.py tests/page/test_ray_pages_example.py
