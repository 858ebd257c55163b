#!/usr/bin/env bash
# Downloads an emulated AArch64 machine into build/arm64: qemu, a Debian root with Python, and the SDK's packages.
# No root rights, chroot or binfmt: packages are unpacked, not installed. About 100 MB, once.
# Status 75 means that a download failed and nothing else, so that CI can go on.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/own-apt.sh
here=$PWD/build/arm64
if [ "$here/.ready" -nt scripts/arm64/prepare.sh ]; then exit 0; fi
rm -rf "$here"/{apt,debs,root,qemu,wheels,site}
mkdir -p "$here"/{debs,root,qemu,wheels,site}

unavailable() {
    echo "arm64: $* could not be downloaded" >&2
    exit 75
}

# The mirror that this machine uses.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' | head -1)
[ -n "$mirror" ] || unavailable "this needs Debian bookworm, whose packages are those of the emulated machine: they"

host=$(dpkg --print-architecture)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keys" ] || { echo "$keys is missing: install debian-archive-keyring" >&2; exit 1; }
own_apt "$here/apt" arm64 "\"arm64\"; \"$host\";" <<END
deb [signed-by=$keys] $mirror bookworm main
deb [signed-by=$keys] $mirror bookworm-backports main
END
export APT_CONFIG=$here/apt/apt.conf
echo "arm64: qemu and a Debian root"
apt-get -qq update || unavailable "the lists of Debian's packages"
cd "$here/debs"
apt-get -qq download python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 libstdc++6 zlib1g \
    libexpat1 libssl3 libffi8 libbz2-1.0 liblzma5 libuuid1 libsqlite3-0 libgomp1 || unavailable "Debian's packages"
for deb in *.deb; do dpkg-deb -x "$deb" "$here/root"; done
apt-get -qq download -t bookworm-backports "qemu-user:$host" || unavailable qemu # bookworm's own, 7.2, crashes in onnxruntime
dpkg-deb --fsys-tarfile qemu-user_*.deb | tar -x -C "$here/qemu" --strip-components=3 ./usr/bin/qemu-aarch64
cd - > /dev/null

# The same version of onnxruntime as here, so that the processor is the only difference.
echo "arm64: Python packages"
runtime=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("onnxruntime"))')
.venv/bin/pip download --quiet --disable-pip-version-check --dest "$here/wheels" --only-binary=:all: \
    --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_17_aarch64 \
    --platform manylinux2014_aarch64 --python-version 311 --implementation cp \
    "onnxruntime==$runtime" 'numpy>=2.4' 'opencv-python-headless>=5.0' pytest || unavailable "Python's packages"
for wheel in "$here"/wheels/*.whl; do .venv/bin/python -m zipfile -e "$wheel" "$here/site"; done
rm -rf "$here"/{apt,debs,wheels}
touch "$here/.ready"
