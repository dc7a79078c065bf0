#!/usr/bin/env bash
# Makes what the emulated car boots from: a kernel, its modules, an initramfs and a root file system.
#
#   tests/car-vm/build.sh WORK
#
# Everything is made under WORK once and kept; a part is made again when what it is made of changed.
#
#   kernel/    Debian 12's 6.1 kernel, its headers and v4l2loopback's source: downloaded and unpacked, never installed
#   modules/   drsim.ko and unplug.ko (ours), v4l2loopback.ko
#   base/      debootstrap of Debian 11: glibc 2.31 and systemd 247, where Ubuntu 20.04 has glibc 2.31 and systemd 245
#   root.img   the above as one ext4, with what makes it a DeepRacer (guest/)
#   vmlinuz, initrd.gz, frames.pack
#
# Wants root (debootstrap), Debian 12's archive and about 1.5 GB. Installs the Debian packages that it runs where they are
# missing. Exit: 0 made, 1 failed, 77 cannot be had here: the reason is on stderr.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0; }
work=$(realpath -m "${1:?build.sh wants a folder to work in}")
tools=(qemu-system-x86 debootstrap cpio busybox-static kmod xz-utils e2fsprogs gcc libc6-dev make python3)
# What the emulated car's hardware and its disks need; their dependencies come by themselves.
early=(nfit nd_pmem ext4)
late=(videodev i2c-dev evdev 9p 9pnet_virtio virtio_pci ext4)
say() { echo "build.sh: $*" >&2; }
absent() { say "$*"; exit 77; }

# Runs a step unless its stamp says that it was run on the same input.
step() { # name, input, command...
    local name=$1 stamp
    stamp=$(sha256sum <<<"$2" | cut -c1-32)
    shift 2
    [[ ! -f $work/$name.stamp || $(<"$work/$name.stamp") != "$stamp" ]] || return 0
    local start=$SECONDS
    rm -f "$work/$name.stamp"
    "$@"
    echo "$stamp" >"$work/$name.stamp"
    say "$name: made in $((SECONDS - start)) s"
}

quietly() { # a command whose output is shown only where it fails
    "$@" >"$work/log.txt" 2>&1 || { tail -20 "$work/log.txt" >&2; return 1; }
}

packages() {
    local missing=()
    for tool in "${tools[@]}"; do
        dpkg-query -W -f '${Status}' "$tool" 2>/dev/null | grep -q 'ok installed' || missing+=("$tool")
    done
    ((${#missing[@]} > 0)) || return 0
    say "installing ${missing[*]}"
    quietly apt-get update || absent "apt-get update failed"
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" ||
        absent "these packages cannot be had: ${missing[*]}"
}

# The newest 6.1 kernel that the archive offers, such as 6.1.0-56-amd64.
newest() { apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: linux-image-\(6\.1\..*\)/\1/p' | head -1; }

fetch_kernel() {
    rm -rf "$work/kernel" "$work/debs"
    mkdir -p "$work/kernel" "$work/debs"
    local wanted=("linux-image-$release" "linux-headers-$release" "linux-headers-${release%-amd64}-common" linux-kbuild-6.1 v4l2loopback-dkms)
    (cd "$work/debs" && quietly apt-get download "${wanted[@]}") || absent "the kernel's packages cannot be downloaded"
    for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/kernel"; done
    rm -rf "$work/debs"
    # The headers name each other by where they are installed.
    sed -i "s#/usr/src/#$work/kernel/usr/src/#" "$headers/Makefile"
    depmod -b "$work/kernel" -F "$work/kernel/boot/System.map-$release" "$release"
    cp "$work/kernel/boot/vmlinuz-$release" "$work/vmlinuz"
}

build_modules() {
    rm -rf "$work/modules"
    mkdir -p "$work/modules/drsim" "$work/modules/loop"
    cp "$here"/{drsim.c,unplug.c,Kbuild} "$work/modules/drsim/"
    cp -r "$work"/kernel/usr/src/v4l2loopback-*/. "$work/modules/loop/"
    quietly make -C "$headers" M="$work/modules/drsim" modules
    quietly make -C "$headers" M="$work/modules/loop" KERNELRELEASE="$release" modules
    # The feeder runs on the car's userland: no libraries.
    gcc -O2 -Wall -Wextra -Werror -static -o "$work/modules/feeder" "$here/feeder.c"
}

bootstrap() {
    rm -rf "$work/base"
    local include=systemd,systemd-sysv,udev,kmod,dbus,sudo
    quietly debootstrap --variant=minbase --include="$include" bullseye "$work/base" ||
        absent "Debian 11's packages cannot be had"
    rm -rf "$work"/base/var/{cache/apt,lib/apt/lists}/* "$work"/base/usr/share/{doc,man,info,locale}/*
}

# The paths of modules and all that they need, in the order in which they load.
needed() { for name in "$@"; do modprobe -d "$work/kernel" -S "$release" --show-depends "$name"; done | sed -n 's/^insmod //p' | awk '!seen[$1]++ {print $1}'; }

build_initrd() {
    local tree=$work/initrd
    rm -rf "$tree"
    mkdir -p "$tree"/{bin,dev,proc,car,modules}
    cp /bin/busybox "$tree/bin/"
    needed "${early[@]}" | while read -r module; do
        cp "$module" "$tree/modules/"
        basename "$module"
    done >"$tree/modules/order"
    cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
export PATH=/bin
busybox mount -t devtmpfs none /dev
busybox mount -t proc none /proc
busybox --install /bin
while read -r module; do insmod /modules/$module; done </modules/order
# Of the two memory disks the one that is a root; which comes first is the kernel's choice.
until mount -t ext4 -o noatime /dev/pmem0 /car || mount -t ext4 -o noatime /dev/pmem1 /car; do sleep 0.1; done 2>/dev/null
umount /proc
mount --move /dev /car/dev
exec switch_root /car /sbin/init
INIT
    chmod +x "$tree/init"
    (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
    rm -rf "$tree"
}

build_root() {
    local tree=$work/tree into
    rm -rf "$tree"
    cp -a "$work/base" "$tree"
    into=$tree/lib/modules/$release
    mkdir -p "$into/extra"
    needed "${late[@]}" | while read -r module; do
        install -D -m 644 "$module" "$tree/${module#"$work/kernel/"}"
    done
    cp "$work"/modules/drsim/*.ko "$work"/modules/loop/*.ko "$into/extra/"
    cp "$work"/kernel/lib/modules/"$release"/modules.{builtin,builtin.modinfo,order} "$into/"
    depmod -b "$tree" -F "$work/kernel/boot/System.map-$release" "$release"
    install -D "$work/modules/feeder" "$tree/opt/car-vm/feeder"
    install -m 644 "$work/frames.pack" "$tree/opt/car-vm/"
    "$here/guest/dress.sh" "$tree" "$root"
    rm -f "$work/root.img"
    truncate -s 2G "$work/root.img"
    quietly mkfs.ext4 -q -F -O ^metadata_csum -E lazy_itable_init=1 -m 0 -d "$tree" "$work/root.img"
    rm -rf "$tree"
}

((EUID == 0)) || absent "wants root, for debootstrap"
[[ $(uname -m) == x86_64 ]] || absent "wants an x86_64 machine"
command -v apt-get >/dev/null || absent "wants Debian 12 (apt-get)"
mkdir -p "$work"
packages
release=$(newest)
[[ -n $release ]] || { quietly apt-get update; release=$(newest); }
[[ -n $release ]] || absent "the archive offers no kernel 6.1: wants Debian 12"
headers=$work/kernel/usr/src/linux-headers-$release
own=$(cd "$here" && sha256sum build.sh drsim.c unplug.c Kbuild feeder.c)
step kernel "$release $work" fetch_kernel
step modules "$release $own" build_modules
step base "bullseye sudo" bootstrap
step initrd "$release $own" build_initrd
tape=$root/tests/tapes/drawn-lane/drive.mcap
# The tape's last ten frames are a covered lens.
step frames "$(cat "$here/frames.py" "$tape" | sha256sum)" python3 "$here/frames.py" "$tape" "$work/frames.pack" 56 >&2
guest=$(cd "$here/guest" && find . -type f -exec sha256sum {} + | sort)
model=$(cd "$root/models/line-follower" && sha256sum ./*)
step root "$release $own $guest $model $(cat "$work/frames.stamp")" build_root
