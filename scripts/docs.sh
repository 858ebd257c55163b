#!/usr/bin/env bash
# Builds the documentation site in build/site: `make docs`. Its tools have their own virtual environment. The browser
# page becomes the live demo. Fails on any warning and on any dead link inside the site. Status 75 says that nothing is
# wrong but that something could not be downloaded, so that CI can go on.
set -euo pipefail
cd "$(dirname "$0")/.."
export NO_MKDOCS_2_WARNING=1
venv=build/docs-venv
unavailable() {
    echo "docs: $* could not be downloaded" >&2
    exit 75
}
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
    unavailable "Node.js 20 or newer, which puts the live demo together,"
if [ pyproject.toml -nt "$venv/.installed" ]; then
    python3 -m venv --clear "$venv"
    # Only the extra's packages: the API reference comes from the sources, so scriptkd itself need not be installed.
    mapfile -t packages < <("$venv/bin/python" -c '
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")')
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" || unavailable "the packages of the extra [docs]"
    touch "$venv/.installed"
fi
(
    cd sdk/web
    if [ package-lock.json -nt node_modules/.package-lock.json ] || [ ! -d node_modules/onnxruntime-web ]; then
        npm ci --silent --ignore-scripts --no-audit --no-fund --omit=dev || unavailable "npm's packages"
    fi
    node build.mjs > /dev/null
)
"$venv/bin/mkdocs" build --strict --quiet
"$venv/bin/python" scripts/dead-links.py build/site
echo "The site is in build/site; \`node sdk/web/serve.mjs build/site\` shows it."
