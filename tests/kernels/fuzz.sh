#!/usr/bin/env bash
# Arbitrary bytes for the integer kernels, under AddressSanitizer: fuzz/fuzz_targets/kernels.rs.
#
#   tests/kernels/fuzz.sh [SECONDS]     30 where none are given
#
# $CARGO_FUZZ or the PATH may hold cargo-fuzz; where neither does, it is built into target/tools. What is built and found
# stays below target/fuzz; a finding is printed, and kept there. Needs a C++ compiler for libFuzzer.
# Exit: 0 nothing found, 1 something found, 2 usage, 77 cannot be had here (the reason is on stderr).
set -euo pipefail
export LC_ALL=C

VERSION=0.13.2
seconds=${1:-30}
[[ $# -le 1 && $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: tests/kernels/fuzz.sh [SECONDS]" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
skip() { echo "skipped: $*" >&2; exit 77; }
command -v c++ >/dev/null || skip "libFuzzer wants a C++ compiler"
host=$(rustc -vV | sed -n 's/^host: //p')
compgen -G "$(rustc --print sysroot)/lib/rustlib/$host/lib/librustc*_rt.asan.a" >/dev/null ||
    skip "this toolchain has no AddressSanitizer"
tool=${CARGO_FUZZ:-$(command -v cargo-fuzz || true)}
if [[ -z $tool ]]; then
    tool=$target/tools/bin/cargo-fuzz
    [[ -x $tool ]] || cargo install cargo-fuzz --version "$VERSION" --locked --root "$target/tools" ||
        skip "cargo-fuzz cannot be had"
fi

unset CARGO_TARGET_DIR
mkdir -p "$target/fuzz/corpus" "$target/fuzz/artifacts"
cd "$root"
RUSTC_BOOTSTRAP=1 "$tool" run --target "$host" --target-dir "$target/fuzz/build" kernels "$target/fuzz/corpus" -- \
    -max_total_time="$seconds" -artifact_prefix="$target/fuzz/artifacts/" -print_final_stats=1 -verbosity=0 -timeout=20 ||
    exit 1
