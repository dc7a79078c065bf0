# shellcheck shell=bash disable=SC2154,SC2016 # run.sh sets what is used here; quoted dollars are for other shells
# The table of deploy/settle.sh: what lies on the disk, and what is there after it ran. Sourced by run.sh.
#
# A disk is written as `current trial-lines programs`: for instance `b a,b,0 ab` is current -> b, a trial from a to b with
# no start so far, and a program in both slots. `-` is nothing.

slots=$work/slots

disk() { # CURRENT TRIAL PROGRAMS
    local from to tries slot
    rm -rf "$slots"
    mkdir -p "$slots/opt/hairpin/a" "$slots/opt/hairpin/b"
    [[ $1 == - ]] || ln -s "$1" "$slots/opt/hairpin/current"
    if [[ $2 != - ]]; then
        IFS=, read -r from to tries <<<"$2"
        printf 'from=%s\nto=%s\ntries=%s\n' "$from" "$to" "$tries" >"$slots/opt/hairpin/trial"
    fi
    for slot in a b; do
        [[ $3 != *$slot* ]] || install -m 755 /bin/true "$slots/opt/hairpin/$slot/hairpin"
    done
}
state() { # as above, less the programs
    local at=$slots/opt/hairpin current trial
    current=$(readlink "$at/current" || echo -)
    trial=$(sed 's/.*=//' "$at/trial" 2>/dev/null | paste -sd ,)
    echo "$current ${trial:--}"
}
row() { # WORDS DISK.. -> STATE.. [-> STATE AFTER A SECOND START]
    local words=$1 saw after
    disk "$2" "$3" "$4"
    saw=$("${shell[@]}" "$repo/deploy/settle.sh" "$slots" 2>"$work/settle" && state) || saw="it failed"
    after=${7:+" $("${shell[@]}" "$repo/deploy/settle.sh" "$slots" 2>>"$work/settle" && state)"}
    if [[ "$saw$after" == "$5 $6${7:+ $7 $8}" && -z $(find "$slots" -name '*.new') ]]; then
        good "settle: $words"
    else
        bad "settle: $words: saw '$saw$after', wanted '$5 $6${7:+ $7 $8}'"
        sed 's/^/           | /' "$work/settle"
    fi
}

settle_table() {
    row "no trial: nothing" a - a a -
    row "no trial, slot b: nothing" b - ab b -
    row "first start of a trial goes on, the second goes back" b a,b,0 ab b a,b,1 a -
    row "and the other way round" a b,a,0 ab a b,a,1 b -
    row "a trial that was started and never confirmed" b a,b,1 ab a -
    row "more tries than one" b a,b,7 ab a -
    row "a count that is none" b a,b,x ab a -
    row "the swap never happened: the trial ends" a a,b,0 ab a -
    row "the way back was cut before the trial ended" a a,b,1 ab a -
    row "the new slot is empty" b a,b,0 a a -
    row "nothing to go back to: stays" b a,b,1 b b -
    row "current is missing" - - a a -
    row "current is missing, only slot b" - - b b -
    row "current is missing in a trial" - a,b,0 ab a -
    row "current leads to an empty slot" b - a a -
    row "current leads out of the house" /nowhere - b b -
    row "a trial without sense" b ,, ab b -
    row "a trial from a slot to itself" a a,a,0 a a a,a,1 a -
    row "no program at all: still no failure" a - - a -
}

shell=(sh)
settle_table
if command -v busybox >/dev/null; then
    mkdir -p "$work/busybox"
    for applet in sed head rm ln mv readlink sync cat; do ln -sf "$(command -v busybox)" "$work/busybox/$applet"; done
    echo "           the same under $(busybox | head -n 1 | cut -d' ' -f1-2)"
    shell=(env "PATH=$work/busybox" "$(command -v busybox)" sh)
    settle_table
else
    echo "           no busybox here: the table ran under $(readlink -f "$(command -v sh)") only"
fi

# Every write of a first start can be the last one before the power goes: there is always a program to run.
cut_settle() { # CALLS before the cut
    disk b a,b,"$2" ab
    mkdir -p "$work/cut"
    local name
    for name in mv rm ln sync sed head readlink; do
        printf '#!/bin/sh\necho >>"%s"\n[ "$(wc -l <"%s")" -le %s ] || kill -9 $PPID\nexec /bin/%s "$@"\n' \
            "$work/cut/calls" "$work/cut/calls" "$1" "$name" >"$work/cut/$name"
        [[ -x /bin/$name ]] || sed -i "s|/bin/$name|/usr/bin/$name|" "$work/cut/$name"
        chmod +x "$work/cut/$name"
    done
    rm -f "$work/cut/calls"
    { PATH=$work/cut:$PATH sh "$repo/deploy/settle.sh" "$slots"; } >/dev/null 2>&1 || true
    # As it is now, and after the next start.
    [[ -x $slots/opt/hairpin/current/hairpin ]] && sh "$repo/deploy/settle.sh" "$slots" 2>/dev/null && [[ -x $slots/opt/hairpin/current/hairpin ]]
}
cuts=0 lost=
for tries in 0 1; do
    for ((calls = 0; calls < 25; calls++)); do
        cut_settle $calls $tries 2>/dev/null || lost+=" $tries/$calls"
        cuts=$((cuts + 1))
    done
done
if [[ -z $lost ]]; then good "settle: killed after each of $cuts commands, current holds a program, then and at the next start"; else bad "settle: no program after a cut at$lost"; fi
