# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# After a reboot, with nobody doing anything.
check "the service came up by itself" patiently 40 up
check "the stock service did not" equals "$(systemctl is-active deepracer-core)" inactive
check "no restart was needed" equals "$(shows hairpin NRestarts)" 0
check "neutral on both pins, no power" equals "$(pins)" "$neutral_throttle $(mid Servo) 1"
started=$(shows hairpin ExecMainStartTimestampMonotonic)
ready=$(shows hairpin ActiveEnterTimestampMonotonic)
figure "boot to ready: $((ready / 1000)) ms; of it the service $(((ready - started) / 1000)) ms, from its start to READY=1"
