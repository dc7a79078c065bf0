#!/usr/bin/env bash
# The same commit gives the same binary, byte for byte, wherever it is built.
#
#   deploy/reproducible.sh [--target x86_64|aarch64] [--keep FOLDER]
#   deploy/reproducible.sh --paths BINARY
#   deploy/reproducible.sh --compare BINARY BINARY
#
# Without arguments: the commit is checked out into two folders of different depth and name, each with a crate folder
# (CARGO_HOME), a target folder and a linker of its own, and built there from nothing, with different home folder, time
# zone, language, file mask and number of jobs. Then --compare. It takes two whole builds; --keep leaves the folders.
# --paths     the binary names no folder of this machine: checkout, target, crates, toolchain, home.
# --compare   equal, or which parts of the two differ, and their first differences as text.
#
# What has to be the same: the commit, rustc's version (`rustc -V`), and the host's architecture. zig and cargo-zigbuild
# are pinned by digest (deploy/tools.txt), the crates by Cargo.lock.
# Exit: 0 the same, 1 not, 2 usage, else the code of the build that failed.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
usage() { echo "reproducible.sh: $*; --help says more" >&2; exit 2; }

paths() { # BINARY
    local folder first bad=0 count=0 target=${CARGO_TARGET_DIR:-$root/target}
    [[ -f $1 ]] || usage "no file '$1'"
    local folders=("$root" "$(realpath -m "$target")" "${CARGO_HOME:-${HOME:-/root}/.cargo}" "${HOME:-/root}")
    if command -v rustc >/dev/null; then folders+=("$(rustc --print sysroot)"); fi
    for folder in "${folders[@]}"; do
        # A folder that is a part of every path says nothing.
        [[ $folder =~ ^/.*[^/] ]] || continue
        count=$((count + 1))
        if grep -aqF "$folder/" "$1"; then
            first=$(strings -n 6 "$1" | grep -F "$folder/" | cut -c1-160 | sed -n 1p)
            echo "reproducible.sh: $1 names $folder: $first" >&2
            bad=1
        fi
    done
    # What the compiler calls the crates' folder must be there: else the messages have no paths, and this saw nothing.
    grep -aq '/cargo/registry/src/' "$1" || { echo "reproducible.sh: $1 has no mapped paths; was it built by deploy/build-portable.sh?" >&2; bad=1; }
    ((bad == 0)) || return 1
    echo "paths      of the $count folders of this machine, none is named in it"
}

compare() { # BINARY BINARY
    if cmp -s "$1" "$2"; then
        echo "equal      $(stat -c %s "$1") bytes, sha256 $(sha256sum <"$1" | cut -d' ' -f1)"
        return 0
    fi
    echo "different  $(cmp -l "$1" "$2" 2>/dev/null | wc -l) bytes" >&2
    local work name one
    work=$(mktemp -d)
    for one in 1 2; do
        readelf -SW "${!one}" | sed -n 's/^ *\[ *[0-9]*\] *//p' | awk 'NF > 5 { print $1, $5 }' >"$work/sections.$one"
        strings -n 6 "${!one}" | sort >"$work/strings.$one"
    done
    diff "$work/sections.1" "$work/sections.2" | sed 's/^/  section sizes: /' | head -20 >&2 || true
    while read -r name _; do
        for one in 1 2; do objcopy -O binary --only-section="$name" --set-section-flags "$name=alloc,contents" "${!one}" "$work/part.$one" 2>/dev/null || : >"$work/part.$one"; done
        cmp -s "$work/part.1" "$work/part.2" || echo "  section $name: $(cmp -l "$work/part.1" "$work/part.2" 2>/dev/null | wc -l) bytes differ" >&2
    done <"$work/sections.1"
    diff "$work/strings.1" "$work/strings.2" | grep '^[<>]' | cut -c1-160 | sed 's/^/  text: /' | head -20 >&2 || true
    rm -rf "$work"
    return 1
}

arch=x86_64 keep=''
while (($# > 0)); do
    case $1 in
        --paths) (($# == 2)) || usage "--paths wants a binary"; paths "$2"; exit ;;
        --compare) (($# == 3)) || usage "--compare wants two binaries"; compare "$2" "$3"; exit ;;
        --target) arch=${2:?--target wants x86_64 or aarch64}; shift 2 ;;
        --keep) keep=${2:?--keep wants a folder}; shift 2 ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) usage "unknown argument $1" ;;
    esac
done

commit=$(git -C "$root" rev-parse HEAD)
if [[ -z $keep ]]; then
    keep=$(mktemp -d)
    trap 'rm -rf "$keep"' EXIT
fi
mkdir -p "$keep"
keep=$(cd "$keep" && pwd)
# The crates are fetched once, by whoever runs this; the archives are copied, each build unpacks its own.
cargo fetch --locked --quiet --manifest-path "$root/Cargo.toml"
crates=${CARGO_HOME:-$HOME/.cargo}
toolchains=${RUSTUP_HOME:-$HOME/.rustup}

build() { # FOLDER MASK ZONE LANGUAGE JOBS
    local place=$keep/$1/hairpin home=$keep/$1/home
    mkdir -p "$(dirname "$place")" "$home/crates/registry"
    rm -rf "$place"
    git clone --quiet --no-hardlinks "$root" "$place"
    git -C "$place" -c advice.detachedHead=false checkout --quiet "$commit"
    cp -r "$crates/registry/index" "$crates/registry/cache" "$home/crates/registry/"
    (
        umask "$2"
        cd "$place"
        env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_TARGET_DIR HOME="$home" RUSTUP_HOME="$toolchains" CARGO_HOME="$home/crates" \
            TZ="$3" LC_ALL="$4" CARGO_BUILD_JOBS="$5" CARGO_NET_OFFLINE=true deploy/build-portable.sh --target "$arch"
    ) >"$keep/$1/log" 2>&1 || { tail -20 "$keep/$1/log" >&2; return 1; }
    echo "built      $1 in $SECONDS s"
}

echo "commit     $commit, $(rustc -V)"
mkdir -p "$keep/a" "$keep/another/place"
SECONDS=0
build a 022 UTC C "$(nproc)"
SECONDS=0
build another/place 077 Asia/Tokyo C.UTF-8 $((($(nproc) + 1) / 2))
compare "$keep/a/hairpin/target/$arch-unknown-linux-gnu/release/hairpin" \
    "$keep/another/place/hairpin/target/$arch-unknown-linux-gnu/release/hairpin"
