#!/usr/bin/env bash
# scriptkd's core in Hermes, React Native's engine: without what Hermes lacks it must do what it does in Node.js. Installs some
# 200 MB in build/react-native-hermes. Status 75 says that nothing is wrong but that something could not be downloaded.
set -euo pipefail
cd "$(dirname "$0")"
packed=$(realpath -m ../../build/npm)
project=../../build/react-native-hermes
mkdir -p "$packed" "$project"
(cd ../web && npm pack --silent --pack-destination "$packed" > /dev/null)
cp -p hermes/* "$project"
cd "$project"
npm install --silent --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --prefer-offline \
    "$packed"/scriptkd-[0-9]*.tgz || {
    echo "react-native: npm's packages could not be downloaded" >&2
    exit 75
}
node --test --test-reporter=spec hermes.test.mjs
