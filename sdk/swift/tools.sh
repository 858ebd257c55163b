# Sourced by test.sh, in the folder of the Makefile. It provides Debian trixie's Swift in its own root,
# build/swift/root, and onnxruntime.
. sdk/c/tools.sh
. scripts/own-apt.sh
root=$PWD/build/swift/root
packages=(swiftlang bash coreutils git libc6-dev libstdc++-14-dev)
user=() # other users become root in their own namespace
[ "$(id -u)" = 0 ] || user=(--map-root-user)
mkdir -p build/swift

# swift_here: unpacks the compiler and its dependencies. They are not installed: bookworm has no Swift, and trixie's
# needs a newer glibc.
swift_here() {
    [ "$(cat "$root/.ready" 2>/dev/null)" != "${packages[*]}" ] || return 0
    [ "$(uname -s)" = Linux ] && command -v apt-get dpkg-deb unshare >/dev/null ||
        unavailable "Swift: this needs Linux with apt-get, dpkg-deb and unshare, for Debian's packages"
    local apt=$PWD/build/swift/apt mirror architecture keys=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -f $keys ] || unavailable "Swift: $keys is missing: install debian-archive-keyring"
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | head -1)
    [ -n "$mirror" ] || unavailable "Swift: this needs a machine that knows a mirror of Debian"
    architecture=$(dpkg --print-architecture)
    rm -rf "$root"
    mkdir -p "$root"
    own_apt "$apt" "$architecture" "\"$architecture\";" <<<"deb [signed-by=$keys] $mirror trixie main"
    echo "Swift: downloading 560 MB of Debian's packages"
    {
        APT_CONFIG=$apt/apt.conf apt-get -q update &&
            APT_CONFIG=$apt/apt.conf apt-get -q install -y --download-only --no-install-recommends "${packages[@]}"
    } >build/swift/apt.log 2>&1 || unavailable "Swift: Debian's packages cannot be downloaded: see build/swift/apt.log"
    echo "Swift: unpacking 2.7 GB"
    local deb
    for deb in "$apt"/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | nice -n 10 tar -x -C "$root" --keep-directory-symlink
        rm "$deb"
    done
    rm -rf "$apt"
    [ -e "$root/usr/bin/sh" ] || ln -s bash "$root/usr/bin/sh" # git calls it
    echo "${packages[*]}" >"$root/.ready"
}

# can_mount: whether a process may have its own mounts, which containers often forbid. The status is 75 if it may not.
can_mount() {
    unshare "${user[@]}" --mount --propagation private true 2>/dev/null || return 75
}

# in_root COMMAND...: runs a command in that root, in this folder and with its environment. The mounts have their own
# namespace and end with the command, so that deleting build/ deletes nothing else.
in_root() {
    mkdir -p "$root$PWD" "$root/proc" "$root/dev"
    # shellcheck disable=SC2016
    nice -n 10 unshare "${user[@]}" --mount --propagation private bash -euc '
        root=$1
        shift
        mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --bind "$PWD" "$root$PWD" || exit 75
        exec chroot "$root" env -i HOME=/tmp PATH=/usr/libexec/swift/bin:/usr/bin:/bin LANG=C.UTF-8 \
            PKG_CONFIG_PATH="$PWD/build/swift/pkgconfig" LD_LIBRARY_PATH="$PWD/build/c/onnxruntime/lib" \
            SCRIPTKD_SDK="$PWD/sdk" SCRIPTKD_PIXELS="$PWD/build/swift/pixels" \
            bash -euc "cd \"\$1\"; shift; exec \"\$@\"" bash "$PWD" "$@"
    ' bash "$root" "$@"
}
