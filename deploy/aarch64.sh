#!/usr/bin/env bash
# Builds the binary for Raspberry Pi cars (64-bit, glibc 2.28 and up), with or without rustup's library for that CPU.
#
#   deploy/aarch64.sh
#
# Where this Rust has the standard library for aarch64 (`rustup target add aarch64-unknown-linux-gnu`), it is
# deploy/build-portable.sh --target aarch64 and nothing else. Where it has not, and the host is Debian on x86-64, the
# compiler that Debian keeps current for its browsers is fetched with that library, through the host's own package
# sources and their signatures, and unpacked under target/; nothing is installed. Both give a program that behaves the
# same; only the first is the release's, byte for byte.
#
# Prints the binary's path and size, then the check.
# Exit: 0 built and portable, 77 the library cannot be had here (the reason is on stderr), else the code of what failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case ${1:-} in
    "") ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "aarch64.sh: unknown argument $1" >&2; exit 2 ;;
esac
triple=aarch64-unknown-linux-gnu
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$PWD/$target
say() { echo "aarch64.sh: $*" >&2; }
skip() { say "skipped: $*"; exit 77; }

if [[ -d $("${RUSTC:-rustc}" --print sysroot)/lib/rustlib/$triple/lib ]]; then
    exec "$root/deploy/build-portable.sh" --target aarch64
fi

place=$target/aarch64-rust
compiler=$place/rustc

# The host's own Debian sources, read for both architectures into a private list, so that the host's is not touched.
sources() {
    # shellcheck disable=SC2016 # apt's own placeholders
    apt-get indextargets --format '$(ORIGIN)|$(SITE)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/^Debian|\([^|]*\)|\([^|]*\)|\([^|]*\)$/deb [signed-by=KEYRING] \1 \2 \3/p' | sort -u |
        sed 's|KEYRING|/usr/share/keyrings/debian-archive-keyring.gpg|'
}
fetch() { # into $place/unpacked
    local apt=$place/apt debs packages deb
    mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d,debs}
    : >"$apt/status"
    sources >"$apt/etc/sources.list"
    [[ -s $apt/etc/sources.list ]] || skip "no $triple library here (rustup target add $triple), and the host has no Debian package sources"
    cat >"$apt/apt.conf" <<CONF
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc "$apt/etc";
Dir::Etc::sourceparts "-";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
    export APT_CONFIG=$apt/apt.conf
    apt-get -qq update >"$apt/log" 2>&1 || skip "the package lists cannot be had: $(tail -1 "$apt/log")"
    # Its own library packages carry a version in their names: take the names from what it depends on.
    debs=$(apt-cache depends rustc-web 2>/dev/null | sed -n 's/^ *Depends: \(libstd-rust-web-dev\)$/\1/p')
    [[ -n $debs ]] || skip "no $triple library here (rustup target add $triple), and this Debian has no rustc-web"
    packages=$(apt-cache depends libstd-rust-web-dev | sed -n 's/^ *Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p')
    packages+=" $(apt-cache depends "$packages" | sed -n 's/^ *Depends: \(libllvm[0-9.]*\)$/\1/p')"
    # shellcheck disable=SC2086 # a list of packages
    (cd "$apt/debs" && apt-get -qq download rustc-web libstd-rust-web-dev $packages libstd-rust-web-dev:arm64) >>"$apt/log" 2>&1 ||
        skip "the packages cannot be had: $(tail -1 "$apt/log")"
    rm -rf "$place/unpacked"
    for deb in "$apt"/debs/*.deb; do dpkg-deb -x "$deb" "$place/unpacked"; done
    rm -rf "$apt" "$place/unpacked/usr/share" "$place/unpacked/usr/bin/rustdoc" "$place/unpacked/usr/libexec"
}

if [[ ! -x $compiler ]]; then
    [[ $(uname -m) == x86_64 ]] || skip "no $triple library here: rustup target add $triple"
    for tool in apt-get dpkg-deb; do
        command -v "$tool" >/dev/null || skip "no $triple library here (rustup target add $triple), and this is not Debian"
    done
    [[ -f /usr/share/keyrings/debian-archive-keyring.gpg ]] || skip "no $triple library here (rustup target add $triple), and no debian-archive-keyring"
    say "no $triple library here; unpacking Debian's compiler under $place (130 MB)"
    mkdir -p "$place"
    (fetch)
    # It is dynamic, and looks for its libraries where they would have been installed.
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$place/unpacked/usr/lib/x86_64-linux-gnu" "$place/unpacked/usr/bin/rustc" >"$compiler.new"
    chmod +x "$compiler.new"
    "$compiler.new" --version >/dev/null 2>&1 || skip "Debian's compiler does not start here: $("$compiler.new" --version 2>&1 | tail -1)"
    mv "$compiler.new" "$compiler"
fi
say "$("$compiler" --version)"
RUSTC=$compiler exec "$root/deploy/build-portable.sh" --target aarch64
