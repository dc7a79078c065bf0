#!/usr/bin/env bash
# Builds the release binary that runs on the car's CPU and on every Ubuntu from 16.04 up, and checks it.
#
#   deploy/build-portable.sh [--target x86_64|aarch64]
#
# x86_64   glibc 2.23 and up, any CPU since 2009 (the car, a laptop). The default.
# aarch64  glibc 2.28 and up (Raspberry Pi OS 10); needs `rustup target add aarch64-unknown-linux-gnu`.
# Wants a Rust toolchain and python3; no Docker, no root. Prints the binary's path and size, then the checks: what it
# needs, and that it names no folder of this machine (deploy/reproducible.sh says why).
# Exit: 0 built and portable, else the code of the step that failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
arch=x86_64
while (($# > 0)); do
    case $1 in
        --target) arch=${2:?--target wants x86_64 or aarch64}; shift 2 ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) echo "build-portable.sh: unknown argument $1" >&2; exit 2 ;;
    esac
done
case $arch in
    x86_64) glibc=2.23 ;;
    aarch64) glibc=2.28 ;;
    *) echo "build-portable.sh: --target is x86_64 or aarch64, saw $arch" >&2; exit 2 ;;
esac
triple=$arch-unknown-linux-gnu

if [[ ! -d $("${RUSTC:-rustc}" --print sysroot)/lib/rustlib/$triple/lib ]]; then
    echo "build-portable.sh: this Rust has no standard library for $triple; try: rustup target add $triple" >&2
    exit 3
fi

cd "$root"
deploy/portable-env.sh --target "$triple.$glibc" cargo build --release --locked --bin hairpin
binary=${CARGO_TARGET_DIR:-target}/$triple/release/hairpin
echo "binary  $binary"
echo "size    $(stat -c %s "$binary") bytes"
deploy/check-portable.sh "$binary" "$glibc"
deploy/reproducible.sh --paths "$binary"
