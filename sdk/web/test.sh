#!/usr/bin/env bash
# Tests of the web SDK and its page. Installs Debian's Chromium if there is none, and npm's packages.
set -euo pipefail
cd "$(dirname "$0")"
source tools.sh
node build.mjs
node --test --test-reporter=spec --test-concurrency=1 test/*.test.mjs
