# shellcheck shell=bash disable=SC2154,SC2016 # run.sh sets what is used here; quoted dollars are for other shells
# The same car, booted: its own systemd in a container, with the unit's real sandbox, limits and system call filter. Pins are
# files, and the camera is the stand-in of tests/faults/shim.c. What runs in there is live.sh. Sourced by run.sh.

booted() {
    local begun=$SECONDS where tool file
    if ! command -v systemd-nspawn >/dev/null && ! { apt-get update && apt-get install -y --no-install-recommends systemd-container; } >"$work/apt" 2>&1; then
        echo "           not booted: systemd-container could not be installed: $(tail -n 1 "$work/apt")"
        return
    fi
    if ! tool=$("$repo/deploy/tools.sh" ziglang 2>"$work/tools"); then
        echo "           not booted: no compiler for the old C library: $(tail -n 1 "$work/tools")"
        return
    fi
    dress
    where=$car/var/lib/car
    mkdir -p "$where"/{shim,frames,tree/dev}
    # Without its realpath: before glibc 2.33, what dlsym finds by that name is the one of 1999, which wants a buffer.
    sed 's/^HOOK(char \*, realpath,/HOOK(char *, not_hooked,/' "$repo/tests/faults/shim.c" >"$work/shim.c"
    "$tool/bin/python" -m ziglang cc -target x86_64-linux-gnu.2.23 -shared -fPIC -O2 -o "$where/shim.so" "$work/shim.c" -ldl -lpthread \
        2>"$work/cc" || { bad "the shim does not compile"; cat "$work/cc"; return; }
    python3 "$here/frames.py" "$repo/tests/tapes/drawn-lane/drive.mcap" "$where/frames" || { bad "no pictures"; return; }
    # Pins: chip, gate and camera, as the kernel lays them out.
    local chip=$where/tree/sys/devices/pci0000:00/0000:00:17.0/i2c-0/pwm/pwmchip0 gpio=$where/tree/sys/class/gpio channel
    for channel in 0 1 2 3 4; do
        mkdir -p "$chip/pwm$channel"
        for file in period duty_cycle enable; do echo 0 >"$chip/pwm$channel/$file"; done
    done
    mkdir -p "$where/tree/sys/class/pwm" "$gpio/gpio436" "$gpio/gpiochip434" "$where/tree/sys/class/video4linux/video0" "$where/tree/sys/devices/1-2/1-2:1.0"
    ln -s ../../devices/pci0000:00/0000:00:17.0/i2c-0/pwm/pwmchip0 "$where/tree/sys/class/pwm/pwmchip0"
    echo out >"$gpio/gpio436/direction"
    echo 1 >"$gpio/gpio436/value"
    echo 434 >"$gpio/gpiochip434/base"
    echo 78 >"$gpio/gpiochip434/ngpio"
    : >"$chip/export"; : >"$gpio/export"; : >"$where/tree/dev/video0"
    echo 29fe >"$where/tree/sys/devices/1-2/idVendor"
    echo 4d53 >"$where/tree/sys/devices/1-2/idProduct"
    echo 0 >"$where/tree/sys/class/video4linux/video0/index"
    ln -s ../../../devices/1-2/1-2:1.0 "$where/tree/sys/class/video4linux/video0/device"
    # The control page: the second word is the set of cameras.
    { printf '\0\0\0\0\1\0\0\0'; head -c 4088 /dev/zero; } >"$where/shim/control"
    # Settings that are there already are kept; what the test adds to the unit stands in a file of its own.
    mkdir -p "$car/etc/hairpin" "$car/etc/systemd/system/hairpin.service.d"
    sed 's|^root = "/"|root = "/var/lib/car/tree"|; s|^battery = "auto"|battery = "none"|
         s|^calibration = .*|calibration = "/opt/aws/deepracer/calibration.json"|' "$repo/deploy/hairpin.toml" >"$car/etc/hairpin/hairpin.toml"
    cat >"$car/etc/systemd/system/hairpin.service.d/test.conf" <<'UNIT'
[Unit]
StartLimitBurst=10
[Service]
Environment=LD_PRELOAD=/var/lib/car/shim.so HAIRPIN_SHIM=/var/lib/car/shim HAIRPIN_SHIM_FRAMES=/var/lib/car/frames
ReadWritePaths=/var/lib/car
# Here a system call that the filter lacks is the end of the process, so that none goes unnoticed.
SystemCallErrorNumber=
UNIT
    cp "$here/live.sh" "$car/kit/"
    cat >"$car/etc/systemd/system/live.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/bash /kit/live.sh
StandardOutput=file:/kit/live.out
StandardError=file:/kit/live.err
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=graphical.target
UNIT
    systemctl --quiet --root="$car" enable live.service
    timeout 240 systemd-nspawn --quiet --directory="$car" --register=no --keep-unit --private-network --capability=all \
        --boot systemd.unit=graphical.target systemd.show_status=no </dev/null >"$work/console" 2>&1 || true
    if [[ ! -s $car/kit/live.out ]]; then
        echo "           not booted: a container does not start here: $(tail -n 1 "$work/console" | tr -d '\r')"
        return
    fi
    echo "           booted, $((SECONDS - begun)) s:"
    while read -r verdict words; do
        case $verdict in ok) good "live: $words" ;; FAILED) bad "live: $words" ;; *) echo "           | $verdict $words" ;; esac
    done <"$car/kit/live.out"
    grep -q '^ok the end' "$car/kit/live.out" || { bad "live: it did not come to its end"; tail -n 40 "$car/kit/journal.txt" "$car/kit/live.err"; }
}
booted
