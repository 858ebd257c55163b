#!/usr/bin/env bash
# Tests of the npm package as a stranger gets it: packed into build/npm, installed in a project of its own in
# build/web-package, checked by tsc --strict, used in Node.js, built and served by Vite, and in a page without a bundler.
set -euo pipefail
cd "$(dirname "$0")"
source tools.sh
packed=../../build/npm
project=../../build/web-package
mkdir -p "$packed" "$project/public"
npm pack --silent --pack-destination "$packed" > /dev/null
cp -p test/package/* "$project"
(
    cd "$project"
    # onnxruntime-node's own install script would fetch a GPU's libraries.
    npm install --silent --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --prefer-offline \
        ../npm/scriptkd-[0-9]*.tgz || unavailable "npm's packages"
    node_modules/.bin/tsc
    echo "web: tsc --strict is content"
    node --test --test-reporter=spec node.test.mjs
)
node --test --test-reporter=spec test/package/browser.test.mjs
