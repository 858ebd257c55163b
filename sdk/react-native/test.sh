#!/usr/bin/env bash
# Tests of the React Native module from its packed tarball and scriptkd's, in Node.js: no phone is at hand. Both are installed
# in a project of its own in build/react-native; onnxruntime-node stands in for the phone's onnxruntime.
# Status 75 says that nothing is wrong but that something could not be downloaded, so that CI can go on.
set -euo pipefail
cd "$(dirname "$0")"
unavailable() {
    echo "react-native: $* could not be downloaded" >&2
    exit 75
}
command -v npm > /dev/null || unavailable "Node.js with npm is needed: it"
packed=$(realpath -m ../../build/npm)
project=../../build/react-native
mkdir -p "$packed" "$project"
for package in ../web .; do (cd "$package" && npm pack --silent --pack-destination "$packed" > /dev/null); done
cp -p test/* "$project"
cd "$project"
# --legacy-peer-deps: of onnxruntime-react-native and react-native nothing is run here.
npm install --silent --no-save --no-package-lock --ignore-scripts --legacy-peer-deps --no-audit --no-fund --prefer-offline \
    "$packed"/scriptkd-[0-9]*.tgz "$packed"/scriptkd-react-native-*.tgz || unavailable "npm's packages"
node_modules/.bin/tsc
echo "react-native: tsc --strict is content"
node --import ./stand-in.mjs --test --test-reporter=spec module.test.mjs
