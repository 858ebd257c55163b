# What the tests here need: Node.js, Debian's Chromium, npm's packages. Sourced in this folder. Status 75 says that nothing
# is wrong but that something could not be downloaded, so that CI can go on.
unavailable() {
    echo "web: $* could not be downloaded" >&2
    exit 75
}
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
    unavailable "Node.js 20 or newer is needed: it"
if [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
    echo "web: installing Chromium"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq -o DPkg::Lock::Timeout=300 update &&
        apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends chromium > /dev/null; } || unavailable Chromium
fi
# `make web` installs without what only the tests need.
if [ package-lock.json -nt node_modules/.package-lock.json ] || [ ! -d node_modules/playwright-core ]; then
    npm ci --silent --ignore-scripts --no-audit --no-fund || unavailable "npm's packages"
fi
