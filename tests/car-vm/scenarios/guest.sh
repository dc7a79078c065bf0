#!/bin/bash
# shellcheck disable=SC2034,SC2086,SC2317 # what scenarios use; words without blanks
# What runs inside the emulated car: one scenario after the other, in the order of /share/todo, over as many boots as
# they want. A scenario is scenarios/NAME.sh beside this file; what it found goes to /share/out/checks, one line a check.
set -u
out=/share/out
observer=/sys/kernel/debug/drsim
socket=/run/hairpin/operator
# The memory disk that is not the root: a tar.
stick=/dev/pmem0
[ "$(findmnt -no SOURCE /)" != $stick ] || stick=/dev/pmem1

# ---- what scenarios say

say() { echo "$1 $(printf '%-8s' "$scenario") $2" >>$out/checks; }
check() { # TEXT COMMAND...: one line, and the command's words where it fails
    local text=$1
    shift
    if "$@" >/tmp/check.txt 2>&1; then say ok "$text"; return 0; fi
    say FAILED "$text: $(tail -n 3 /tmp/check.txt | tr '\n' ' ' | cut -c1-300)"
    cat /tmp/check.txt
    return 1
}
figure() { say figure "$1"; }
equals() { [ "$1" = "$2" ] || { echo "saw '$1', wanted '$2'"; return 1; }; }
patiently() { # SECONDS COMMAND...: until it succeeds
    local last=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -le "$last" ] || { echo "not within the time: $*"; return 1; }
        sleep 0.2
    done
}
shows() { systemctl show -p "$2" --value "$1"; }

# ---- the observer

mark() { echo "$*" >$observer/mark; }
keep_log() { cat $observer/log >"$out/$1.log"; }
# What stands on the chip's two channels and on the gate's line now, as "throttle steering gate".
pins() { cat $observer/now; }
moving() {
    local throttle steering gate
    read -r throttle steering gate <$observer/now
    [ "$gate" = 0 ] && [ "$throttle" != "$neutral_throttle" ] && [ "$steering" != 0 ]
}
# The neutral pulses of the stock car's calibration file.
mid() { tr -d ' \n' </opt/aws/deepracer/calibration.json | sed "s/.*\"$1\":{[^}]*\"mid\":\([0-9]*\).*/\1/"; }
neutral_throttle=$(mid Motor)

# ---- the operator, who holds on to a line to the guardian

hang_up() { exec 8>&-; wait "${line:-}" 2>/dev/null; line=; }
dial() {
    rm -f /tmp/words
    mkfifo /tmp/words
    hairpin operate --at $socket </tmp/words >>/tmp/operator.txt 2>&1 &
    line=$!
    exec 8>/tmp/words
}
up() { [ "$(shows hairpin ActiveState)" = active ] && hairpin operate status | grep -qiE 'disarmed|stopped'; }
drive() { # from whatever came before to a car that moves
    check "$1: the service is up and disarmed" patiently 20 up || return 1
    dial
    # The camera may have to be found again first.
    local try
    for try in 1 2; do
        echo arm >&8
        if patiently 3 moving; then sleep 0.7; return 0; fi
    done
    hang_up
    check "$1: armed and moving" false
}

# ---- one after the other

mapfile -t todo </share/todo
for at in "${!todo[@]}"; do
    scenario=${todo[at]}
    # What is left stands in the file, for the next boot and for the host.
    printf '%s\n' "${todo[@]:at + 1}" | sed '/^$/d' >/share/todo
    [ "$scenario" != reboot ] || exit 90
    echo "==== $scenario, $(cut -d' ' -f1 /proc/uptime) s after the boot"
    # shellcheck disable=SC1090
    . "/share/scenarios/$scenario.sh"
done
journalctl -b --no-pager -o short-monotonic >$out/journal.txt 2>&1
cp /tmp/operator.txt $out/
exit 0
