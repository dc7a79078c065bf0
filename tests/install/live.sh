#!/bin/bash
# Runs inside the booted car of booted.sh, as root: from the stock service to hairpin and back, by the commands that an
# owner types. Prints `ok WORDS` or `FAILED WORDS` a check.
set -u
export LC_ALL=C
tree=/var/lib/car/tree
trap 'journalctl -u hairpin -o short-monotonic --no-hostname >/kit/journal.txt' EXIT
pwm=$tree/sys/class/pwm/pwmchip0 gate=$tree/sys/class/gpio/gpio436/value

check() {
    local words=$1
    shift
    if "$@" >/tmp/said 2>&1; then echo "ok $words"; else echo "FAILED $words"; tail -n 12 /tmp/said | sed 's/^/| /'; fi
}
until_true() { # SECONDS COMMAND...
    local end
    end=$(($(date +%s%3N) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        (($(date +%s%3N) <= end)) || return 1
        sleep 0.02
    done
}
is() { [[ $(systemctl is-active "$1") == "$2" ]]; }
shown() { systemctl show -p "$1" "${2:-hairpin}" | cut -d= -f2-; }
main_pid() { shown MainPID; }
driver_pid() { tr -d ' ' <"/proc/$(main_pid)/task/$(main_pid)/children"; }
status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
neutral() { [[ $(cat $pwm/pwm0/duty_cycle) == 1446000 && $(cat $pwm/pwm1/duty_cycle) == 1450000 && $(cat $gate) == 1 ]]; }
moves() { [[ $(cat $gate) == 0 && $(cat $pwm/pwm0/duty_cycle) -lt 1440000 && $(cat $pwm/pwm0/duty_cycle) -gt 1000000 ]]; }
leave() { # the operator leaves, which is a stop
    exec 3>&-
    wait
}
drives() { # an operator comes and arms; a busy machine without real-time priority may stop it at once: again and again
    local try
    leave
    until_true 10 is hairpin active
    exec 3<>/tmp/words # opening one end alone would wait for the other
    hairpin operate </tmp/words >>/tmp/operate.log 2>&1 3>&- &
    exec 4>/tmp/words 3>&- 3>&4 4>&-
    for try in {1..8}; do
        echo arm >&3
        until_true 1 moves && return
    done
    echo "not after arming $try times; $(tail -n 3 /tmp/operate.log)"
    return 1
}
settles() { until_true 20 is hairpin active && until_true 5 neutral; }

# ---- from stock to hairpin
check "the stock service runs" until_true 10 is deepracer-core active
begun=$(date +%s%3N)
check "install" /kit/install.sh --local
is hairpin active || exit 1
echo "info installed and up in $(($(date +%s%3N) - begun)) ms"
check "the stock service is stopped and disabled" test "$(systemctl is-active deepracer-core) $(systemctl is-enabled deepracer-core)" = "inactive disabled"
check "hairpin is up and enabled" test "$(systemctl is-active hairpin) $(systemctl is-enabled hairpin)" = "active enabled"
check "disarmed: neutral, the gate shut" until_true 3 neutral
check "a second install has nothing to do" grep -q "^nothing to do" <(/kit/install.sh --local 2>&1)

# ---- what the unit grants, and what it does not
guardian=$(main_pid) driver=$(driver_pid)
check "guardian: no capability" test "$(status "$guardian" CapEff) $(status "$guardian" CapBnd)" = "0000000000000000 0000000000000000"
check "guardian: system calls filtered, no new privileges" test "$(status "$guardian" Seccomp) $(status "$guardian" NoNewPrivs)" = "2 1"
if (($((0x$(status 1 CapEff))) >> 24 & 1)); then
    check "guardian: SCHED_FIFO 50, by the limit" grep -q "SCHED_FIFO.*priority: 50" <(chrt -p "$guardian" | paste -sd ' ')
    check "guardian: memory locked" test "$(status "$guardian" VmLck | tr -dc 0-9)" -gt 1000
    check "guardian: killed last, driver first" test "$(cat /proc/"$guardian"/oom_score_adj) $(cat /proc/"$driver"/oom_score_adj)" = "-1000 500"
    check "driver: its loop under SCHED_FIFO" grep -q FIFO <(for task in /proc/"$driver"/task/*; do chrt -p "${task##*/}"; done)
    check "the system refused it nothing" test -z "$(journalctl -u hairpin -o cat | grep -iE 'refused|without real-time')"
else
    echo "info this machine keeps CAP_SYS_RESOURCE from its root: limits cannot be raised, so no SCHED_FIFO and no locked memory to look at"
fi
check "driver: confined as the guardian is" test "$(status "$driver" CapEff) $(status "$driver" Seccomp) $(status "$driver" NoNewPrivs)" = "0000000000000000 2 1"
confined() { nsenter -t "$guardian" -m sh -c "$1"; }
check "its disk is read-only" test "$(confined 'touch /etc/x /opt/hairpin/x /usr/x 2>/dev/null; ls /etc/x /opt/hairpin/x /usr/x 2>/dev/null')" = ""
as_member() { setpriv --reuid=65534 --regid="$(stat -c %g /run/hairpin)" --clear-groups hairpin operate status; }
check "  a member of the group may use it" as_member
as_nobody() { ! setpriv --reuid=65534 --regid=65534 --clear-groups hairpin operate status; }
check "  anybody else may not" as_nobody
check "it has no network" test "$(readlink /proc/"$guardian"/ns/net)" != "$(readlink /proc/1/ns/net)"
check "the operator's socket is for root and the group hairpin" test "$(stat -c '%a %U:%G' /run/hairpin /run/hairpin/operator | paste -sd ' ')" = "750 root:hairpin 660 root:hairpin"

# ---- drive
mkfifo /tmp/words
trap '' PIPE
check "armed by hairpin operate, it drives" drives
leave
check "the operator leaves: neutral, the gate shut" until_true 3 neutral

# ---- faults
check "drives again" drives
kill -9 "$(driver_pid)"
check "driver killed: neutral" until_true 1 neutral
leave
check "drives again, with another driver" drives
before=$(shown NRestarts)
kill -9 "$(main_pid)"
check "guardian killed: neutral" until_true 1 neutral
leave
check "  and started again, disarmed" settles
check "  by systemd" test "$(shown NRestarts)" -gt "$before"
check "drives again, with another guardian" drives
kill -STOP "$(driver_pid)"; kill -9 "$(main_pid)"
# The next guardian comes two seconds later; what is neutral within one was made so by ExecStopPost.
check "guardian killed over a driver that hangs: neutral, by ExecStopPost" until_true 1 neutral
leave
check "  and started again, disarmed" settles
if [[ $(shown WatchdogUSec) != 0 ]] && grep -aq WATCHDOG=1 /opt/hairpin/current/hairpin; then
    before=$(shown NRestarts)
    kill -STOP "$(main_pid)"
    more_restarts() { [[ $(shown NRestarts) -gt $before ]]; }
    check "guardian stopped: the watchdog ends it" until_true 8 more_restarts
    check "  and it is started again, disarmed" settles
fi

# ---- an update that does not come up
mkdir -p /opt/hairpin/b
printf '#!/bin/sh\nkill -9 $$\n' >/opt/hairpin/b/hairpin
chmod 755 /opt/hairpin/b/hairpin
printf 'from=a\nto=b\ntries=0\n' >/opt/hairpin/trial
ln -sfn b /opt/hairpin/current
systemctl reset-failed hairpin
neutrals() { journalctl -u hairpin -o cat | grep -c '^neutral, gate shut'; }
before=$(neutrals)
systemctl --no-block restart hairpin
back() { [[ $(readlink /opt/hairpin/current) == a && ! -e /opt/hairpin/trial ]]; }
check "a new binary that does not start is taken back" until_true 15 back
check "  and the old one is up, disarmed" settles
# Once for the old one that was stopped, once for the new one, which cannot do it itself.
check "  neutral in between by the program of the other slot" test "$(neutrals)" -ge $((before + 2))
check "  settle said so" grep -q "b did not come up; back to a" <(journalctl -u hairpin -o cat)

# ---- what cannot work ends, with the pins neutral
mv /var/lib/hairpin/model /var/lib/hairpin/model.away
echo 1311000 >"$(readlink -f $pwm)/pwm0/duty_cycle"
printf '[Service]\nRestartSec=200ms\n' >/etc/systemd/system/hairpin.service.d/soon.conf
systemctl daemon-reload
systemctl reset-failed hairpin
systemctl --no-block restart hairpin
check "without a model it gives up after some starts" until_true 60 is hairpin failed
check "  with the pins neutral and the gate shut" neutral
mv /var/lib/hairpin/model.away /var/lib/hairpin/model
systemctl reset-failed hairpin
systemctl start hairpin
check "  and starts when asked" settles

# ---- and back
check "drives" drives
check "--remove, of a car that drives" /kit/install.sh --local --remove
leave
check "  neutral, the gate shut" neutral
check "  the stock service runs as before" until_true 5 is deepracer-core active
check "  and is enabled as before" test "$(systemctl is-enabled deepracer-core)" = enabled
check "  nothing of hairpin runs" test -z "$(grep -lx hairpin /proc/[0-9]*/comm 2>/dev/null)"
echo "ok the end"
