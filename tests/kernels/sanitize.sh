#!/usr/bin/env bash
# The integer kernels under AddressSanitizer, valgrind's memcheck and, where it is installed, Miri.
#
#   tests/kernels/sanitize.sh
#
#  1 control   with the check of the input broken on purpose, AddressSanitizer sees the AVX2 kernel read beyond it, and
#              memcheck the SSE4.1 kernel, whose assembly AddressSanitizer does not look into
#  2 asan      all of tests/kernels.rs, on every path of this CPU
#  3 memcheck  the same, with fewer cases; also for values that nobody has set
#  4 miri      the same with few cases: portable, and SSE4.1 from intrinsics, since Miri knows no assembly
#
# Works on a copy in a throw-away package. Installs valgrind on Debian and Ubuntu (as root, or with sudo that asks no
# password). Exit: 0 clean, 1 not, 77 neither can be had here (the reason is on stderr).
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() { echo "kernels FAILED: $*" >&2; exit 1; }
skip() { echo "skipped: $*" >&2; exit 77; }
host=$(rustc -vV | sed -n 's/^host: //p')
[[ $host == x86_64-*-linux-gnu ]] || skip "the vector kernels are for x86-64 Linux, this is $host"
compgen -G "$(rustc --print sysroot)/lib/rustlib/$host/lib/librustc*_rt.asan.a" >/dev/null ||
    skip "this toolchain has no AddressSanitizer"
if ! command -v valgrind >/dev/null; then
    sudo=
    ((EUID == 0)) || sudo="sudo -n"
    log=$(mktemp)
    { $sudo apt-get update && $sudo apt-get install -y --no-install-recommends valgrind libc6-dbg; } >"$log" 2>&1 ||
        skip "valgrind cannot be installed: $(tail -1 "$log")"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/package.sh" "$work/whole"
"$here/package.sh" "$work/broken"
cp "$here/control.rs" "$work/broken/tests/"
sed -i 's/if reach > length {/if reach > length + 1 {/' "$work/broken/src/policy/kernels/integer/windows.rs"
# Another package to cargo, which would take one's objects for the other's.
sed -i 's/^version = .*/version = "0.0.1"/' "$work/broken/Cargo.toml"
if cmp -s {"$work/whole","$work/broken"}/src/policy/kernels/integer/windows.rs; then
    fail "the check that is to be broken is not where it was"
fi
cd "$work/whole"
# Without the network where everything is there already.
if cargo fetch --offline >/dev/null 2>&1; then export CARGO_NET_OFFLINE=true; fi

asan() { # FOLDER ARGUMENT...: cargo test there, under AddressSanitizer
    (cd "$1" && shift && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$work/asan \
        cargo test --quiet --target "$host" "$@")
}
program() { # FOLDER TEST: builds it plainly, prints where it is
    (cd "$1" && CARGO_TARGET_DIR=$work/plain cargo test --quiet --release --no-run --test "$2" --message-format=json) |
        sed -n "s/.*\"name\":\"$2\".*\"executable\":\"\([^\"]*\)\".*/\1/p" | tail -1
}
# Without leave to read a vector of which only a part is there.
memcheck=(valgrind --quiet --error-exitcode=9 --partial-loads-ok=no)
said() { echo "$1 $(sed -n 's/^test result: //p' "$work/log")"; }
has() { grep -qw "$1" /proc/cpuinfo; }

# 1
if has avx2; then
    log=$work/log
    if CONTROL_PATH=avx2 asan "$work/broken" --test control >"$log" 2>&1; then fail "AddressSanitizer is blind"; fi
    grep -q 'heap-buffer-overflow' "$log" || { cat "$log" >&2; fail "not what AddressSanitizer was to see"; }
    echo "control    AddressSanitizer sees a read beyond the input in the AVX2 kernel"
fi
if has sse4_1; then
    control=$(program "$work/broken" control)
    if CONTROL_PATH=sse4.1 "${memcheck[@]}" "$control" >"$work/log" 2>&1; then fail "memcheck is blind"; fi
    grep -q 'Invalid read of size 16' "$work/log" || { cat "$work/log" >&2; fail "not what memcheck was to see"; }
    echo "control    memcheck sees a read beyond the input in the SSE4.1 assembly"
fi

# 2
asan "$work/whole" --test kernels >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "AddressSanitizer"; }
said asan

# 3
kernels=$(program "$work/whole" kernels)
PROPTEST_CASES=${CASES:-150} "${memcheck[@]}" "$kernels" --test-threads 1 >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "memcheck"; }
said memcheck

# 4
if cargo miri --version >/dev/null 2>&1; then
    for features in "" -Ctarget-feature=+sse4.1; do
        PROPTEST_CASES=6 MIRIFLAGS=-Zmiri-disable-isolation RUSTFLAGS=$features CARGO_TARGET_DIR=$work/miri \
            cargo miri test --quiet --test kernels >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "Miri with '$features'"; }
        said miri
    done
else
    echo "miri       not installed for this toolchain: left out"
fi
