#!/usr/bin/env bash
# Builds qemu's AArch64 emulator with its plugins, which Debian's package lacks, in build/arm64/counter. The version and
# the source are Debian's. It takes about 6 minutes of one core, once.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/build/arm64/counter
[ ! -x "$here/build/qemu-aarch64" ] || [ ! -f "$here/build/tests/tcg/plugins/libinsn.so" ] || exit 0
missing=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' libglib2.0-dev ninja-build gcc pkg-config python3-venv 2>&1 |
    awk '/^installed/ { next } { print $NF }')
if [ -n "$missing" ]; then
    echo "qemu: installing its build tools"
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
        libglib2.0-dev ninja-build gcc pkg-config python3-venv > /dev/null
fi
mkdir -p "$here"
# The upstream archive is enough, as Debian's patches do not touch this emulator. The hash is from Debian's list of
# sources.
archive=qemu_10.0.2+ds.orig.tar.xz
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' | head -1)
cd "$here"
[ -f "$archive" ] || wget -q --tries=3 "$mirror/pool/main/q/qemu/$archive"
echo "0901da33844a331bf8b3602b9c1fbd178e60b737c8e3ade678255bd090c9b9f1  $archive" | sha256sum --check --quiet
rm -rf source build venv
mkdir source build
tar -xf "$archive" -C source --strip-components=1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check meson==1.5.0 pycotap==1.3.1
cd build
echo "qemu: building"
nice -n 10 ../source/configure --python="$here/venv/bin/python" --target-list=aarch64-linux-user --disable-system \
    --disable-tools --disable-docs --without-default-features --enable-plugins --enable-linux-user \
    --disable-install-blobs > configure.log
nice -n 10 ninja qemu-aarch64 tests/tcg/plugins/libinsn.so > ninja.log
