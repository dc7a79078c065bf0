#!/bin/sh
# A throw-away package in the folder that is named: the lease, what it imports, its tests, and the repository's own versions
# of the few crates that these need.
set -eu

work=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$work/src" "$work/tests"
cp -R "$root/src/units" "$root/src/domain" "$root/src/lease" "$work/src/"
cp -R "$root/tests/lease_oracle" "$work/tests/"
# The quick one first: cargo runs them by name, and stops at the first that fails.
cp "$root/tests/lease_law.rs" "$work/tests/a_law.rs"
cp "$root/tests/lease_any.rs" "$work/tests/b_any.rs"
cp "$root/tests/lease_exhaustive.rs" "$work/tests/c_exhaustive.rs"
cp "$root/Cargo.lock" "$work/"
printf '%s\n' '//! The lease alone.' 'pub mod domain;' 'pub mod lease;' 'pub mod units;' >"$work/src/lib.rs"
{
    printf '%s\n' '[package]' 'name = "hairpin"' 'version = "0.1.0"' 'edition = "2024"' 'publish = false'
    printf '%s\n' '[features]' 'car = []' '[dependencies]'
    grep -E '^(libm|sha2|thiserror) = ' "$root/Cargo.toml"
    echo '[dev-dependencies]'
    grep -E '^proptest = ' "$root/Cargo.toml"
    sed -n '/^\[profile\.dev\]/,/^\[profile\.release\]/p' "$root/Cargo.toml" | sed '$d'
} >"$work/Cargo.toml"
