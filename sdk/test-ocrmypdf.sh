#!/usr/bin/env bash
# The plugin for OCRmyPDF, with that library in a virtual environment of its own. It needs no Ghostscript.
# Status 75: OCRmyPDF could not be downloaded, or Tesseract or its models of the test's scripts are not here.
set -euo pipefail
cd "$(dirname "$0")/.."
for model in Latin Devanagari Tamil; do
    tesseract --list-langs 2>/dev/null | grep -qE "^(script/)?$model$" || {
        echo "OCRmyPDF: Tesseract or its model of $model is missing; \`make setup\` installs them" >&2
        exit 75
    }
done
.venv/bin/python -m venv build/ocrmypdf
build/ocrmypdf/bin/pip install --quiet 'ocrmypdf>=17' pytest || {
    echo "OCRmyPDF could not be downloaded" >&2
    exit 75
}
build/ocrmypdf/bin/pip install --quiet '.[page]'
build/ocrmypdf/bin/python -m pytest -p no:cacheprovider tests/page/test_ocrmypdf_example.py
