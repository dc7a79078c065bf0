# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# The service as systemd sees it, right after the installation.
check "active" patiently 30 up
check "the guardian says that it is ready: Type=notify" equals "$(shows hairpin Type) $(shows hairpin NotifyAccess)" "notify main"
check "watchdog of 2 s" equals "$(shows hairpin WatchdogUSec)" 2s
check "its status is the phase" grep -qi disarmed <<<"$(shows hairpin StatusText)"
check "the guardian runs with SCHED_FIFO" sh -c "chrt -p $(shows hairpin MainPID) | grep FIFO"
check "and with locked memory" sh -c "awk '\$1 == \"VmLck:\" { exit \$2 < 1000 }' /proc/$(shows hairpin MainPID)/status"
check "no capabilities" grep -q '^CapEff:.*0000000000000000$' /proc/"$(shows hairpin MainPID)"/status
score=$(systemd-analyze security hairpin --no-pager 2>/dev/null | sed -n 's/.*Overall exposure level for hairpin.service: \([0-9.]*\).*/\1/p')
check "systemd-analyze security: $score, at most 2.0" awk -v score="${score:-10}" 'BEGIN { exit !(score <= 2.0) }'
check "enabled for every boot" equals "$(systemctl is-enabled hairpin)" enabled
