#!/bin/sh
# Lines of src/lease that tests/lease_law.rs alone runs through; fails below 100 %.
#
# rustc's own profiles, read by the llvm-cov and llvm-profdata of the LLVM that rustc was built with (`rustc -vV` names it;
# Debian's package is llvm-22 for 22). They are looked for in $LLVM_BIN, in the toolchain, and in the PATH.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
toolchain=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
find_tool() {
    for tool in "${LLVM_BIN:-$toolchain}/$1" "$toolchain/$1" "/usr/lib/llvm-$major/bin/$1" "$1-$major"; do
        command -v "$tool" && return
    done
    echo "no $1 of LLVM $major: install Debian's llvm-$major or rustup's llvm-tools, or set LLVM_BIN" >&2
    exit 2
}
cov=$(find_tool llvm-cov)
merge=$(find_tool llvm-profdata)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$here/package.sh" "$work"
cd "$work"
if cargo fetch --offline >/dev/null 2>&1; then
    CARGO_NET_OFFLINE=true
    export CARGO_NET_OFFLINE
fi
RUSTFLAGS=-Cinstrument-coverage LLVM_PROFILE_FILE="$work/profiles/%p-%m" CARGO_TARGET_DIR="$work/target" \
    cargo test --quiet --test a_law >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$merge" merge -sparse "$work"/profiles/* -o "$work/merged"
test=$(find "$work/target/debug/deps" -name 'a_law-*' -perm -u+x -type f)
"$cov" report "$test" -instr-profile "$work/merged" --sources "$work"/src/lease/*.rs
"$cov" export "$test" -instr-profile "$work/merged" --summary-only --sources "$work"/src/lease/*.rs |
    grep -o '"totals":.*' | grep -o '"lines":{[^}]*}' | grep -q '"percent":100[,.}]'
