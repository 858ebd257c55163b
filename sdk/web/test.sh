#!/usr/bin/env bash
# Tests of the web SDK and its page. Installs Debian's Chromium if there is none, and npm's packages.
set -euo pipefail
cd "$(dirname "$0")"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || {
    echo "Node.js 20 or newer is needed" >&2
    exit 1
}
if [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
    echo "web: installing Chromium"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends chromium > /dev/null
fi
if [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --silent --ignore-scripts --no-audit --no-fund
fi
node build.mjs
node --test --test-reporter=spec --test-concurrency=1 test/*.test.mjs
