# The second half of run.sh, which reads it: controls, legs, the table. Refuses nothing by itself.
# shellcheck shell=bash disable=SC2154 # its variables are run.sh's

# 3
tape_of() { local set; for set in "${sets[@]}"; do [[ $set == *"|$1|"*.mcap ]] && { echo "${set##*|}"; return; }; done; }
noticed() { # what, then the arguments of a replay that must end with 4
    local what=$1 rc=0
    shift
    timed "$binary" replay "$@" --expect "${settings[@]}" || rc=$?
    ((rc == 4)) || { cat told said >&2; fail "$what ends with $rc, wanted 4: the comparison proves nothing"; }
    echo "control    $what: $(sed -n '1s/^DIFFERS at //p' said)"
}
drawn odd2 --change
unset 'names[-1]'
noticed "one other weight" "$(tape_of odd)" --model "${model[odd2]}"
noticed "f32 instead" "$(tape_of "$first")" --model "${model[$first]}" --precision f32
must "$binary" replay "$(tape_of odd)" --model "${model[odd]}" --decisions one.jsonl "${settings[@]}"
python3 -B "$here/compare.py" --flip one.jsonl other.jsonl
read -r _ bits beside < <(python3 -B "$here/compare.py" one.jsonl other.jsonl)
((bits == 1 && beside == 0)) || fail "compare.py counts $bits bits where one is flipped"
echo "control    one bit flipped: 1 counted"

# 4
hidden=-avx,-avx2,-fma,-f16c,-avx512f,-avx512vnni,-avx512fp16,-avxvnni,-amx-int8,-amx-bf16
rows=() failed=0 lacking=0 reference=''
row() { rows+=("$(printf '%-22s %7s %9s %10s %8s  %s' "$@")"); }
lack() { # LEG, reason
    [[ -z $only || $only == *",$1,"* ]] || return 0
    lacking=1
    row "$1" - - - - "cannot be had: $2"
}
same() { # SET, WANTED, LIMIT, SETTING, then the program: adds to frames_, bits_; the first leg is the reference
    local set name file wanted=$2 limit=$3 setting=$4 rc=0 scores counted
    IFS='|' read -r set name file <<<"$1"
    shift 4
    local arguments=(--model "${model[$name]}" --set "$setting" "${settings[@]}")
    rm -f leg.npy leg.jsonl
    if [[ $file == *.npy ]]; then
        scores=leg.npy
        timed "$@" bench "${arguments[@]}" --only infer --frames "$file" --scores leg.npy --ticks 1 || rc=$?
    else
        scores=leg.jsonl
        timed "$@" replay "$file" "${arguments[@]}" --expect --decisions leg.jsonl ${limit:+--ticks "$limit"} || rc=$?
        ((rc != 0)) || grep -q '^equal: .*, 0 differing bits in [1-9][0-9]* decisions' said || rc=4
    fi
    cpu_=$((cpu_ + cpu))
    ((rc == 0 || rc == 4)) || { tail -n 5 told said >&2; fail "$set ended with $rc: $*"; }
    grep -q "$wanted" said || { cat said >&2; fail "$set ran without \"$wanted\": $*"; }
    [[ -n $reference ]] || cp "$scores" "reference-$set.${scores#*.}"
    counted=$(python3 -B "$here/compare.py" "reference-$set.${scores#*.}" "$scores") || fail "$set: nothing was decided"
    read -r count bits beside <<<"$counted"
    frames_=$((frames_ + count)) bits_=$((bits_ + bits))
    if ((rc != 0 || bits + beside > 0)); then
        failed=1
        words_=" differs in $set: $(sed -n '1s/^DIFFERS //p' said)"
    fi
}
leg() { # NAME, WANTED, LIMIT, SETTING, then the program
    local leg=$1 frames_=0 bits_=0 cpu_=0 words_='' set
    [[ -z $only || $only == *",$leg,"* ]] || return 0
    for set in "${sets[@]}"; do same "$set" "${@:2}"; done
    reference=${reference:-$leg}
    row "$leg" "$frames_" "${#sets[@]}" "$bits_" "$(seconds "$cpu_")" "${2##* }$words_"
    echo "leg        $leg: $frames_ frames, $bits_ differing bits"
}
avx=0
grep -qw avx2 /proc/cpuinfo 2>/dev/null && avx=1
fixed="fixed point [0-9a-f]* on"
leg car "$fixed sse4.1" "" policy.kernels=car "$binary"
if ((avx)); then
    leg native "$fixed avx2" "" policy.kernels=native "$binary"
    leg avx-hidden "$fixed sse4.1" "" policy.kernels=native env "TRACT_CPU_ISA=$hidden" "$binary"
else
    lack native "this CPU has no AVX2"
    lack avx-hidden "this CPU has no AVX2"
fi
leg portable "$fixed portable" "" policy.kernels=portable "$binary"
if "$binary" config --default | sed -n '/^\[policy\]/,/^\[/p' | grep -q '^threads'; then
    leg threads-2 "$fixed sse4.1, two threads" "" policy.threads=2 "$binary"
else
    lack threads-2 "this program has no setting policy.threads"
fi
if [[ -n $debug ]]; then
    leg debug-car "$fixed sse4.1" "$emulated" policy.kernels=car "$debug"
    ((avx == 0)) || leg debug-native "$fixed avx2" "$emulated" policy.kernels=native "$debug"
    leg debug-portable "$fixed portable" "$emulated" policy.kernels=portable "$debug"
fi

library=/usr/aarch64-linux-gnu
missing=()
command -v qemu-x86_64-static >/dev/null || missing+=(qemu-user-static)
[[ -z $arm || -e $library/lib/ld-linux-aarch64.so.1 ]] || missing+=(libc6-arm64-cross)
if ((${#missing[@]} > 0)); then
    sudo=''
    ((EUID == 0)) || sudo="sudo -n"
    { $sudo apt-get update && $sudo apt-get install -y --no-install-recommends "${missing[@]}"; } >apt 2>&1 ||
        echo "not installed ${missing[*]}: $(tail -n 1 apt)"
fi
# The car's CPU is Denverton's sibling (tests/atom/run.sh says more); less what the emulator would warn about.
without=,-sha-ni,-rdseed,-xsavec,-arch-capabilities,-spec-ctrl,-ssbd,-3dnowprefetch,-x2apic,-tsc-deadline,-rdctl-no,-skip-l1dfl-vmentry
atom=(qemu-x86_64-static -cpu "Denverton$without")
if command -v "${atom[0]}" >/dev/null; then
    leg denverton "$fixed sse4.1" "$emulated" policy.kernels=native "${atom[@]}" "$binary"
else
    lack denverton "no qemu-user-static: $(tail -n 1 apt)"
fi
if [[ -z $arm ]]; then
    row aarch64 - - - - "not asked for: --aarch64 BIN"
elif command -v qemu-aarch64-static >/dev/null && [[ -e $library/lib/ld-linux-aarch64.so.1 ]]; then
    leg aarch64 "$fixed portable" "$emulated" policy.kernels=native qemu-aarch64-static -L "$library" "$arm"
else
    lack aarch64 "no qemu-user-static or libc6-arm64-cross: $(tail -n 1 apt)"
fi
[[ -n $debug ]] || row debug - - - - "not asked for: --debug BIN"

# 5
whole=$reference fixed_sets=${#sets[@]} reference='' sets=() precision=f32
drive "$first" "$((frames < 600 ? frames / 3 : 600))" bean training 12
leg f32-car "kernels sse2" "" policy.kernels=car "$binary" --precision f32
((avx == 0)) || leg f32-avx-hidden "kernels sse2" "" policy.kernels=native env "TRACT_CPU_ISA=$hidden" "$binary" --precision f32
if command -v "${atom[0]}" >/dev/null; then
    few=$((frames < 1000 ? 30 : 600)) # f32 is slow there: 0.2 s a frame
    leg f32-denverton "kernels sse2" "$few" policy.kernels=native "${atom[@]}" "$binary" --precision f32
fi
((avx == 0)) || noticed "f32 with AVX" "${sets[0]##*|}" --model "${model[$first]}" --precision f32 --set policy.kernels=native

printf '\n%-22s %7s %9s %10s %8s  %s\n' leg frames recordings bits-apart CPU-s instructions
printf '%s\n' "${rows[@]}"
echo "$fixed_sets recordings through ${#names[@]} networks; the legs are compared with ${whole:-none}; $(seconds "$total") CPU-seconds in all"
((failed == 0)) || fail "scores differ"
[[ -n $whole ]] || fail "no leg was run"
if ((lacking)); then
    echo "skipped: legs that cannot be had here, see the table; the others are equal" >&2
    exit 77
fi
echo "proved     the same bits"
