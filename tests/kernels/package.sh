#!/bin/sh
# A throw-away package in the folder that is named: the integer kernels, their tests, and the repository's own versions of
# the few crates that these need.
set -eu

work=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$work/src/policy/kernels" "$work/tests"
cp -R "$root/src/policy/kernels/integer" "$work/src/policy/kernels/"
cp -R "$root/tests/kernels.rs" "$root/tests/kernels" "$work/tests/"
cp "$root/Cargo.lock" "$work/"
cat >"$work/src/lib.rs" <<'END'
//! The integer kernels alone.
pub mod policy {
    pub mod kernels {
        pub mod integer;
        pub use integer::{ConvWeights, DenseWeights, KernelError, Path, Rescale, Windows, conv, dense};
    }
}
END
{
    printf '%s\n' '[package]' 'name = "hairpin"' 'version = "0.1.0"' 'edition = "2024"' 'publish = false' '[workspace]'
    echo '[dependencies]'
    grep -E '^thiserror = ' "$root/Cargo.toml"
    echo '[dev-dependencies]'
    grep -E '^proptest = ' "$root/Cargo.toml"
    printf '%s\n' '[profile.dev]' 'opt-level = 1' 'debug = "line-tables-only"' '[profile.release]' 'debug = "line-tables-only"'
} >"$work/Cargo.toml"
