# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# Faults under a car that drives as a service. Each is marked in the observer's log on the line before it is made; the host
# reads from there how long the pins took. A fault that is made inside the kernel is marked there.
#
#   mark fault NAME KIND BOUND_MS     neutral: both pins within the bound, and they stay so until `mark end`
#                                     gate: the power gate within the bound
#                                     unaffected: it drives on
driver_of() { cut -d' ' -f1 "/proc/$1/task/$1/children"; }
over() { # NAME: the fault has had its time
    mark end "$1"
    hang_up
    keep_log faults
}
feed() { # NODE: the optics, by hand, so that nobody but the test starts them again
    /opt/car-vm/feeder "$1" /opt/car-vm/frames.pack 30 &
    feeder=$!
    disown $feeder
}
systemctl stop camera
feed /dev/video0
systemctl restart hairpin

if drive "gauge fails"; then
    mark fault gauge-fails unaffected 0
    echo 1 >/sys/module/drsim/parameters/batt_fail
    sleep 3
    check "gauge fails: it was asked in that time" sh -c "awk '/mark fault gauge-fails/ { on = 1 } on && /gauge fails/ { saw = 1 } END { exit !saw }' $observer/log"
    echo 0 >/sys/module/drsim/parameters/batt_fail
    over gauge-fails
fi

# Level 1 of 11; asked every two seconds.
if drive "battery empty"; then
    mark fault battery-empty neutral 2110
    echo 180 >/sys/module/drsim/parameters/batt
    sleep 3.5
    over battery-empty
    echo 236 >/sys/module/drsim/parameters/batt
    sleep 2.5
fi

if drive "camera stalls"; then
    mark fault camera-stalls neutral 110
    kill -9 $feeder
    sleep 1.5
    over camera-stalls
    feed /dev/video0
    sleep 1
fi

if drive "camera module"; then
    mark fault module-in-use unaffected 0
    check "camera module: rmmod refuses while it streams" sh -c '! rmmod v4l2loopback'
    sleep 0.5
    over module-in-use
fi

if drive "camera unplugged"; then
    insmod "/lib/modules/$(uname -r)/extra/unplug.ko" node=/dev/video0 'mark="fault camera-unplugged neutral 110"' 2>/dev/null
    sleep 1.5
    check "camera unplugged: its node is gone" test ! -e /dev/video0
    over camera-unplugged
    kill -9 $feeder 2>/dev/null
    # It comes back as the kernel's video9. A camera without a USB id is found again by its name alone.
    ln -s video9 /dev/video0
    feed /dev/video9
    sleep 2
fi

if drive "driver killed"; then
    victim=$(driver_of "$(shows hairpin MainPID)")
    mark fault driver-killed neutral 110
    kill -9 "$victim"
    sleep 1
    over driver-killed
    check "driver killed: the guardian lives, and nobody restarted it" equals "$(shows hairpin NRestarts)" 0
fi

if drive "driver stopped"; then
    victim=$(driver_of "$(shows hairpin MainPID)")
    mark fault driver-stopped neutral 110
    kill -STOP "$victim"
    sleep 1.6
    over driver-stopped
    check "driver stopped: it was replaced" sh -c "[ '$(driver_of "$(shows hairpin MainPID)")' != '$victim' ]"
fi

if drive "pins fail"; then
    mark fault pins-fail gate 110
    echo 1 >/sys/module/drsim/parameters/pwm_fail
    sleep 0.7
    over pins-fail
    echo 0 >/sys/module/drsim/parameters/pwm_fail
    sleep 1
fi

if drive "guardian killed"; then
    mark fault guardian-killed neutral 110
    kill -9 "$(shows hairpin MainPID)"
    sleep 1
    over guardian-killed
    check "guardian killed: systemd started another" patiently 20 up
    check "guardian killed: once" equals "$(shows hairpin NRestarts)" 1
fi

if drive "both killed"; then
    guardian=$(shows hairpin MainPID)
    victim=$(driver_of "$guardian")
    mark fault both-killed neutral 1000
    kill -9 "$guardian" "$victim"
    sleep 1.5
    over both-killed
    check "both killed: systemd started another" patiently 20 up
fi

kill -9 $feeder 2>/dev/null
keep_log faults
journalctl -u hairpin -b --no-pager -o short-monotonic >$out/faults-journal.txt
