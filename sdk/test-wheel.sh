#!/usr/bin/env bash
# The wheel by itself: built, installed without a network and without torch, used, and tested with tests/sdk.
#   sdk/test-wheel.sh [PYTHON]    any interpreter from 3.11 on; else the checkout's own
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=${1:-$root/.venv/bin/python}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$root/.venv/bin/python" -m build --wheel --outdir "$scratch/dist" "$root" >"$scratch/build.log" || { cat "$scratch/build.log"; exit 1; }
cd "$scratch" # so that nothing is imported from the checkout
"$python" -m venv venv
venv/bin/python -m pip download --quiet --only-binary :all: --dest wheels dist/*.whl pytest hypothesis pillow onnx

offline=()
if unshare --net true 2>/dev/null; then
    offline=(unshare --net)
fi
"${offline[@]}" venv/bin/pip install --quiet --no-index --find-links wheels dist/*.whl
if venv/bin/python -c "import torch" 2>/dev/null; then
    echo "the base install brought torch" >&2
    exit 1
fi
echo "$(venv/bin/python --version), $(ls dist): $(du -k dist/*.whl | cut -f1) KB; installed, with all it needs:" \
    "$(du -sm --exclude 'pip*' --exclude setuptools* venv/lib | cut -f1) MB," \
    "of which scriptkd's SDK $(du -sk venv/lib/python*/site-packages/scriptkd_sdk | cut -f1) KB"
"${offline[@]}" venv/bin/scriptkd --version
"${offline[@]}" venv/bin/scriptkd identify "$root/samples"
if refused=$(venv/bin/scriptkd-export --ckpt student.pt 2>&1) || [[ $refused != "error: scriptkd-export needs the extra [export]"* ]]; then
    echo "scriptkd-export without its extra: $refused" >&2
    exit 1
fi

"${offline[@]}" venv/bin/pip install --quiet --no-index --find-links wheels pytest hypothesis pillow onnx
# A file, not standard input: processes that the tests spawn read the main module again.
cat >tests.py <<'PYTHON'
import sys

if __name__ == "__main__":
    import pytest
    import scriptkd_sdk

    assert "site-packages" in scriptkd_sdk.__file__, f"not the wheel's: {scriptkd_sdk.__file__}"
    sys.exit(pytest.main(["-p", "no:cacheprovider", sys.argv[1]]))
PYTHON
"${offline[@]}" venv/bin/python tests.py "$root/tests/sdk"
