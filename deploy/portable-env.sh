#!/usr/bin/env bash
# Runs a command with cargo set up to build portable code: zig as C compiler and linker against glibc 2.23
# (Ubuntu 16.04's), and instructions no newer than the car's Atom E3930 has.
#
#   deploy/portable-env.sh [--target TRIPLE[.GLIBC]] COMMAND...
#   e.g. deploy/portable-env.sh cargo test --release
#
# Everything that is run through here shares one target folder and one set of fingerprints, so the tests of CI
# and the binary that ships are the same compiled code, and the network library is compiled once for both.
# The plain `cargo build` of a developer is not touched: no .cargo/config.toml, no RUSTFLAGS there.
set -euo pipefail

# Second entry: cargo-zigbuild calls "cargo", which is this script, with its environment set. Run the command instead.
if [[ -n ${HAIRPIN_PORTABLE_COMMAND:-} ]]; then
    command=$HAIRPIN_PORTABLE_COMMAND
    unset HAIRPIN_PORTABLE_COMMAND CARGO
    eval "exec $command"
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=x86_64-unknown-linux-gnu.2.23
if [[ ${1:-} == --target ]]; then target=${2:?--target wants a triple}; shift 2; fi
(($# > 0)) || { echo "portable-env.sh: no command given" >&2; exit 2; }

tools=$("$root/deploy/tools.sh" ziglang cargo-zigbuild)
# The linker's path is part of cargo's fingerprints: keep the wrappers beside the target folder, not in a home.
export PATH=$tools/bin:$PATH CARGO_ZIGBUILD_CACHE_DIR=$tools/cache
export ZIG_GLOBAL_CACHE_DIR=$tools/cache/zig ZIG_LOCAL_CACHE_DIR=$tools/cache/zig

triple=$(sed -E 's/\.[0-9]+(\.[0-9]+)*$//' <<<"$target")
export CARGO_BUILD_TARGET=$triple

# The compiler writes source paths into its panic messages. Where this checkout, its target folder, the crates and the
# standard library lie on this machine is no part of the program: the same commit gives the same bytes from any folder
# (deploy/reproducible.sh). rustc takes the last prefix that fits, so the inner folders come last.
folder=${CARGO_TARGET_DIR:-$root/target}
[[ $folder == /* ]] || folder=$PWD/$folder
sysroot=$("${RUSTC:-rustc}" --print sysroot)
flags=(
    "--remap-path-prefix=$root=/hairpin"
    "--remap-path-prefix=$folder=/hairpin/target"
    "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rust"
)
case $triple in
    # Goldmont (the car's Atom) is x86-64-v2: SSE4.2 and POPCNT, no AVX. 17 to 27 % faster JPEG decoding than
    # the plain baseline there. Never `native`.
    x86_64-*) flags+=("-Ctarget-cpu=x86-64-v2") ;;
esac
# Separated by a character that no path holds, unlike RUSTFLAGS, which a space in a path would break.
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; echo "${flags[*]}")
export CARGO_ENCODED_RUSTFLAGS
unset RUSTFLAGS

HAIRPIN_PORTABLE_COMMAND=$(printf '%q ' "$@")
export HAIRPIN_PORTABLE_COMMAND
CARGO=$root/deploy/portable-env.sh exec "$tools/bin/cargo-zigbuild" zigbuild --target "$target"
