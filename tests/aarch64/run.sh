#!/usr/bin/env bash
# The binary for Raspberry Pi cars, run under an emulated aarch64 CPU beside the x86-64 one.
#
#   tests/aarch64/run.sh [BINARY [REFERENCE]]
#
# BINARY is what deploy/aarch64.sh built, REFERENCE what deploy/build-portable.sh built; both have these as defaults.
#
#  1 control   a program for another CPU is refused, and so are decisions with one bit changed
#  2 portable  it needs glibc 2.28 at most, and no library of anybody else
#  3 runs      version, settings, the bundled model, bench: the same words as on x86-64, figures of time left out
#  4 replay    the repository's tape: everything but the network's scores equal as bits, the scores within 1e-5, since
#              f32 sums depend on the CPU's kernels (README, "What equal means"); the differing bits are counted
#  5 replay    two runs there give the same bytes; an x86-64 recording passes --expect --tolerance 1e-5
#  6 pca9685   `hairpin neutral` over a chip of registers (bus.c): the bytes on the bus are those of x86-64, and the
#              data sheet's for neutral; the same for a chip that runs already
#  7 pi        `hairpin doctor` on a tree of files that stands for a Raspberry Pi car: the same verdicts
#
# Not here: V4L2, I2C and PWM of a kernel (the emulator passes none of them on), and speed.
# Needs qemu-user-static and libc6-arm64-cross, which it installs on Debian and Ubuntu (as root, or with sudo that asks no
# password), and a C compiler through deploy/portable-env.sh.
# Exit: 0 proved, 1 not proved, 2 usage, 77 qemu or the C library cannot be had here (the reason is on stderr).
set -euo pipefail
export LC_ALL=C

(($# <= 2)) || { echo "usage: tests/aarch64/run.sh [BINARY [REFERENCE]]" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
binary=$(realpath -m "${1:-$target/aarch64-unknown-linux-gnu/release/hairpin}")
reference=$(realpath -m "${2:-$target/x86_64-unknown-linux-gnu/release/hairpin}")
tape=$root/tests/tapes/drawn-lane/drive.mcap model=$root/models/line-follower tolerance=1e-5
fail() { echo "aarch64 FAILED: $*" >&2; exit 1; }
[[ -x $binary ]] || fail "no program at $binary; deploy/aarch64.sh builds one"
[[ -x $reference ]] || fail "no program at $reference to compare with; deploy/build-portable.sh builds one"
is_aarch64() { readelf -hW "$1" 2>/dev/null | grep -q 'Machine: *AArch64'; }
is_aarch64 "$binary" || fail "$binary is not for aarch64: $(readelf -hW "$binary" 2>/dev/null | sed -n 's/^ *Machine: *//p')"

library=/usr/aarch64-linux-gnu
missing=()
command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static)
[[ -e $library/lib/ld-linux-aarch64.so.1 ]] || missing+=(libc6-arm64-cross)
if ((${#missing[@]} > 0)); then
    echo "installing ${missing[*]}"
    sudo=
    ((EUID == 0)) || sudo="sudo -n"
    log=$(mktemp)
    if ! { $sudo apt-get update && $sudo apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        echo "skipped: ${missing[*]} cannot be installed: $(tail -1 "$log")" >&2
        exit 77
    fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
emulated=(qemu-aarch64-static -L "$library")
echo "emulator   $(qemu-aarch64-static --version | sed -n 1p)"

# 1
if "${emulated[@]}" "$reference" --version >/dev/null 2>&1; then fail "the emulator runs an x86-64 program: it proves nothing"; fi
if is_aarch64 "$reference"; then fail "an x86-64 program passes for aarch64"; fi
compare() { python3 -B "$here/compare.py" "$1" "$2" "$tolerance"; }
printf '{"tick":0,"steering_ns":%d,"scores":["3f000000"]}\n' 1450000 >"$work/one"
printf '{"tick":0,"steering_ns":%d,"scores":["3f000000"]}\n' 1450001 >"$work/two"
compare "$work/one" "$work/one" >/dev/null || fail "equal decisions are called different"
if compare "$work/one" "$work/two" >/dev/null 2>&1; then fail "a pulse that differs by 1 ns is not noticed"; fi
echo "control    an x86-64 program is refused, a pulse that differs by 1 ns is noticed"

# 2
"$root/deploy/check-portable.sh" "$binary" 2.28 >"$work/portable" || { cat "$work/portable" >&2; fail "it is not portable"; }
echo "portable   $(sed -n 's/^glibc *\(at least [0-9.]*\).*/glibc \1/p' "$work/portable"), $(grep -c '^needs' "$work/portable") libraries, all of the C library"

# 3
# import and inspect start a second process to confine it: the kernel has to know the emulator. Told so in a user
# namespace of its own, nobody else on this machine does (Linux 6.7 and up; elsewhere these two are left out).
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
# shellcheck disable=SC2016 # the inner shell's words
inside=(unshare --user --map-root-user --mount sh -c '
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && printf "%s" "$1" >/proc/sys/fs/binfmt_misc/register || exit 77
    shift; export QEMU_LD_PREFIX='"$library"'; exec "$@"' sh ":hairpin:M::$magic:$mask:$(command -v qemu-aarch64-static):F")
same() { # NAME, FILTER, ARGUMENTS...: the same words and the same exit code from both
    local name=$1 filter=$2 ours=0 theirs=0
    shift 2
    "$reference" "$@" >"$work/reference" 2>&1 || theirs=$?
    "${runs[@]}" "$binary" "$@" >"$work/here" 2>&1 || ours=$?
    ((ours == theirs)) || { tail -3 "$work/here" >&2; fail "$name ends with $ours there, with $theirs on x86-64"; }
    diff <(sed -E "$filter" "$work/reference") <(sed -E "$filter" "$work/here") >"$work/diff" || { head -10 "$work/diff" >&2; fail "$name says something else there"; }
    echo "same       $name: $(wc -l <"$work/here") lines, exit code $ours"
}
runs=("${emulated[@]}")
same "--version" "" --version
same "config" "" config
if "${inside[@]}" true 2>/dev/null; then
    runs=("${inside[@]}")
    same "inspect $(basename "$model")" "" inspect "$model"
    same "import of its network" 's/ in [0-9.]+ m?s//' import "$model/model.pb" --name again --models "$work/models" --force
    runs=("${emulated[@]}")
else
    echo "left out   inspect and import: this kernel has no binfmt_misc in user namespaces"
fi

# 4
replay() { # NAME, then a command
    local name=$1 start=$SECONDS rc=0
    shift
    "$@" >"$work/log" 2>&1 || rc=$?
    ((rc == 0)) || { cat "$work/log" >&2; fail "$name ended with $rc"; }
    echo "ran        $name ($((SECONDS - start)) s)"
}
replay "replay on x86-64" "$reference" replay "$tape" --model "$model" --decisions "$work/x86.jsonl" --record "$work/x86.mcap"
replay "replay on aarch64" "${emulated[@]}" "$binary" replay "$tape" --model "$model" --expect --tolerance "$tolerance" --decisions "$work/arm.jsonl"
told=$(compare "$work/x86.jsonl" "$work/arm.jsonl") || fail "the decisions differ"
echo "equal      $told"

# 5
replay "replay there again" "${emulated[@]}" "$binary" replay "$tape" --model "$model" --expect --tolerance "$tolerance" --decisions "$work/again.jsonl"
cmp "$work/arm.jsonl" "$work/again.jsonl" || fail "two runs there differ"
replay "replay there of the x86-64 recording, --expect --tolerance $tolerance" \
    "${emulated[@]}" "$binary" replay "$work/x86.mcap" --model "$model" --expect --tolerance "$tolerance"
echo "equal      two runs there, $(wc -c <"$work/arm.jsonl") bytes, sha256 $(sha256sum <"$work/arm.jsonl" | cut -c1-16)"

# 6
tree=$work/pi
mkdir -p "$tree/dev" "$tree/run" "$tree/proc/device-tree" "$tree/proc/sys/kernel"
: >"$tree/dev/i2c-1"
printf 'Raspberry Pi 4 Model B Rev 1.4\0' >"$tree/proc/device-tree/model"
echo 6.8.0-1013-raspi >"$tree/proc/sys/kernel/osrelease"
car=(--set car.board=pca9685 --set "car.root=$tree")
flags=(-shared -fPIC -O2 -Wall -Wextra -Werror -o)
cc "${flags[@]}" "$work/bus-x86.so" "$here/bus.c" -ldl
cd "$root" # where cargo finds its package
# shellcheck disable=SC2016 # the inner shell's words
deploy/portable-env.sh --target aarch64-unknown-linux-gnu.2.28 sh -c '"$CC_aarch64_unknown_linux_gnu" "$@"' cc \
    "${flags[@]}" "$work/bus-arm.so" "$here/bus.c" -ldl
mkdir "$work/bus-x86" "$work/bus-arm"
for once in asleep running; do
    HAIRPIN_BUS=$work/bus-x86 LD_PRELOAD=$work/bus-x86.so "$reference" neutral "${car[@]}" >"$work/x86.said" 2>&1 || fail "neutral on x86-64: $(cat "$work/x86.said")"
    "${emulated[@]}" -E "HAIRPIN_BUS=$work/bus-arm" -E "LD_PRELOAD=$work/bus-arm.so" "$binary" neutral "${car[@]}" >"$work/arm.said" 2>&1 ||
        fail "neutral there: $(cat "$work/arm.said")"
    cmp "$work/x86.said" "$work/arm.said" || fail "neutral says something else there"
    cmp "$work/bus-x86/log" "$work/bus-arm/log" || fail "other bytes on the bus, chip $once"
    cmp "$work/bus-x86/chip" "$work/bus-arm/chip" || fail "another chip in the end, chip $once"
done
# By hand: 50 Hz is prescaler round(25 MHz / 4096 / 50 Hz) - 1 = 121; awake with auto-increment is 0x21; neutral of the
# factory's calibration is 1446000 and 1450000 ns of 20 ms, ceil(ns * 4096 / 20e6) = 297 = 0x0129 steps each.
at() { od -An -tx1 -j "$1" -N "$2" "$work/bus-arm/chip" | xargs; }
[[ "$(at 0xfe 1) $(at 0x00 1)" == "79 21" ]] || fail "the chip ends with prescaler $(at 0xfe 1) and mode $(at 0x00 1), wanted 79 and 21"
[[ "$(at 0x06 8)" == "00 00 29 01 00 00 29 01" ]] || fail "outputs 0 and 1 end with $(at 0x06 8), wanted neutral"
echo "pca9685    neutral, asleep and running: $(wc -l <"$work/bus-arm/log") bytes on the bus, those of x86-64; 50 Hz, 297 steps on both outputs"

# 7
HAIRPIN_BUS=$work/bus-x86 LD_PRELOAD=$work/bus-x86.so "$reference" doctor --json "${car[@]}" >"$work/x86.said" 2>/dev/null || rc=$?
HAIRPIN_BUS='' "${emulated[@]}" -E "HAIRPIN_BUS=$work/bus-arm" -E "LD_PRELOAD=$work/bus-arm.so" "$binary" doctor --json "${car[@]}" >"$work/arm.said" 2>/dev/null || rc=$?
filter='s/[0-9]+ MiB free/N MiB free/'
diff <(sed -E "$filter" "$work/x86.said") <(sed -E "$filter" "$work/arm.said") >&2 || fail "doctor says something else there"
grep -q PCA9685 "$work/arm.said" || fail "doctor found no PCA9685 there"
echo "same       doctor on a tree of a Raspberry Pi car, exit code ${rc:-0}"
echo "proved     in $SECONDS s"
