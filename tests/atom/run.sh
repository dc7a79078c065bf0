#!/usr/bin/env bash
# The Atom proof: a whole replay under an emulated Goldmont CPU decides the same bits as on this machine.
#
#   tests/atom/run.sh [BINARY [TAPE MODEL]]
#
# Without arguments: what deploy/build-portable.sh built, and the tape and the model of the repository.
#
# The car's Atom E3930 has SSE4.2 and no AVX. qemu's user-mode emulation of its server sibling (Denverton) has the same
# instructions and ends a program that uses others with SIGILL. "Equal" means: the same kernels on both machines (the
# car's, hairpin's default), and every value of every decision equal as bits, timings left out.
#
#  1 control   a program compiled for AVX2 dies there with SIGILL, and one compiled for SSE4.2 gives the native answer
#  2 native    replay the tape here: decisions and a recording
#  3 atom      replay the tape there: its decisions file equals the native one, byte for byte
#  4 atom      replay the recording there with --expect: 0 differing bits, by hairpin's own comparison
#
# Installs Debian's qemu-user-static where it is missing (as root, or with sudo that asks no password). It may displace
# the package qemu-utils, which nothing here uses. HAIRPIN_NO_QEMU=1 skips the proof, and says so, where qemu cannot be had.
# Never a measurement of speed: the emulated network is some 200 times slower than a native one.
# Exit: 0 proved (or skipped on request), 1 not proved, 2 usage.
set -euo pipefail

(($# <= 1 || $# == 3)) || { echo "usage: tests/atom/run.sh [BINARY [TAPE MODEL]]" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=${1:-${CARGO_TARGET_DIR:-$root/target}/x86_64-unknown-linux-gnu/release/hairpin}
tape=${2:-$root/tests/tapes/drawn-lane/drive.mcap}
model=${3:-$root/models/line-follower}
fail() { echo "atom proof FAILED: $*" >&2; exit 1; }
[[ -x $binary ]] || fail "no program at $binary; deploy/build-portable.sh builds one"
[[ -e $tape ]] || fail "no tape at $tape"
[[ -d $model ]] || fail "no model folder at $model"

qemu="qemu-x86_64-static"
if ! command -v "$qemu" >/dev/null; then
    echo "installing qemu-user-static"
    sudo=
    ((EUID == 0)) || sudo="sudo -n"
    log=$(mktemp)
    if ! { $sudo apt-get update && $sudo apt-get install -y --no-install-recommends qemu-user-static; } >"$log" 2>&1; then
        tail -5 "$log" >&2
        if [[ ${HAIRPIN_NO_QEMU:-} == 1 ]]; then echo "SKIPPED: no $qemu, and HAIRPIN_NO_QEMU=1"; exit 0; fi
        fail "$qemu is missing and could not be installed; HAIRPIN_NO_QEMU=1 skips this proof"
    fi
fi
# Denverton less what the emulator lacks anyway: naming it keeps eleven warnings out of the output.
cpu=Denverton,-sha-ni,-rdseed,-xsavec,-arch-capabilities,-spec-ctrl,-ssbd,-3dnowprefetch,-x2apic,-tsc-deadline
cpu+=,-rdctl-no,-skip-l1dfl-vmentry
atom=("$qemu" -cpu "$cpu")

ulimit -c 0 # the control dies on purpose
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "emulator   $("$qemu" --version | head -1), -cpu Denverton"

# 1
for level in haswell x86-64-v2; do rustc -O --edition 2024 -C target-cpu=$level -o "$work/$level" "$here/control.rs"; done
rc=0
{ "${atom[@]}" "$work/haswell" || rc=$?; } >/dev/null 2>&1
((rc == 132)) || fail "the AVX2 control ended with $rc there, not with 132 (SIGILL): this is not the car's CPU"
[[ $("${atom[@]}" "$work/x86-64-v2") == "$("$work/x86-64-v2")" ]] || fail "the SSE4.2 control has another answer there"
echo "control    AVX2 program: SIGILL (132); SSE4.2 program: runs"

# 2
unset TRACT_CPU_ISA # here hairpin must hide AVX by itself
timed() { # name, then a command whose output is shown only if it fails
    local name=$1 start=$SECONDS rc=0
    shift
    "$@" >"$work/log" 2>&1 || rc=$?
    if ((rc != 0)); then
        cat "$work/log" >&2
        fail "$name ended with $rc"
    fi
    echo "$name ($((SECONDS - start)) s)"
}
timed "native     replay" "$binary" replay "$tape" --model "$model" --decisions "$work/native.jsonl" --record "$work/native.mcap"
lines=$(wc -l <"$work/native.jsonl")
((lines > 0)) || fail "the native replay wrote no decision"

# 3
# hairpin hides AVX from the network library by starting itself again with this variable. Started from inside the
# emulator that second self would run on the real CPU; there is no AVX to hide there, so it does not start again, and
# with the variable set beforehand it has no reason to on any account. (Only replay: import and inspect always start a
# second process, to confine it, and would leave the emulator.)
export TRACT_CPU_ISA=-avx,-avx2,-fma,-f16c,-avx512f,-avx512vnni,-avx512fp16,-avxvnni,-amx-int8,-amx-bf16
timed "atom       replay" "${atom[@]}" "$binary" replay "$tape" --model "$model" --decisions "$work/atom.jsonl"
cmp "$work/native.jsonl" "$work/atom.jsonl" || {
    diff "$work/native.jsonl" "$work/atom.jsonl" | head -4 | cut -c1-400 >&2 || true
    fail "the decisions differ"
}

# 4
timed "atom       replay of the native recording, --expect" "${atom[@]}" "$binary" replay "$work/native.mcap" --model "$model" --expect
echo "equal      $lines decisions, $(wc -c <"$work/native.jsonl") bytes, sha256 $(sha256sum <"$work/native.jsonl" | cut -c1-16)"
