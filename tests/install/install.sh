# shellcheck shell=bash disable=SC2154,SC2016 # run.sh sets what is used here; quoted dollars are for other shells
# The installer, from a stock car to hairpin and back. Sourced by run.sh.

echo "root       Debian $(cat "$cache/etc/debian_version"), $("$cache/sbin/ldconfig" --version | head -n 1 | sed 's/.* //') glibc, systemd $(chroot "$cache" systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')"
dress
seen >"$work/before"
seen times >"$work/before.times"

# ---- first what it would do
check "a dry run says all, and changes nothing" says 0 "stop and disable the stock service" installer --dry-run
seen times >"$work/dry.times"
check "  listing with times" equal "$work/before.times" "$work/dry.times"

# ---- install
check "install" says 0 "^install: done" installer
cp "$work/out" "$work/installed.out"
seen >"$work/after"
changed() { # paths that differ, that nobody would expect
    diff "$work/before" "$work/after" | sed -n 's/^[<>] //p' | sed -E 's|^[0-9a-f]{64}  \./||' |
        grep -vE '^(opt/hairpin|etc/hairpin|var/lib/hairpin|usr/local/bin/hairpin|etc/udev/rules.d/60-hairpin.rules|etc/(group|gshadow)-?)( |/|$)' |
        grep -vE '^etc/systemd/system/(hairpin.service|multi-user.target.wants/(hairpin|deepracer-core).service)( |$)'
}
nothing_else() { ! changed; }
check "  nothing else was touched: calibration, artifacts, network, the other stock unit" nothing_else
check "  the program is in slot a, and current leads there" cmp "$binary" "$car/opt/hairpin/current/hairpin"
check "  and the command on the path" test "$(readlink "$car/usr/local/bin/hairpin")" = /opt/hairpin/current/hairpin
check "  the stock service is disabled, ours enabled" test \
    "$(systemctl --root="$car" is-enabled deepracer-core.service || true) $(systemctl --root="$car" is-enabled hairpin.service || true)" = "disabled enabled"
check "  the settings take the stock car's calibration" grep -qx 'calibration = "/opt/aws/deepracer/calibration.json"' "$car/etc/hairpin/hairpin.toml"
check "  the stock models are imported, the first one drives" test \
    "$(cd "$car/var/lib/hairpin" && echo models/* "$(readlink model)")" = "models/Center_lane models/line-follower models/sample models/Center_lane"
check "  the broken one is named with its reason" grep -qE "not imported: Broken: .*protobuf" -i "$work/installed.out"

# ---- what it installed runs, in this user land; older ones are not on the mirror, and rest on the symbol versions
check "the program wants no newer C library than 2.23" "$repo/deploy/check-portable.sh" "$binary" 2.23
check "the installed program runs there" says 0 "^hairpin [0-9]" inside hairpin --version
check "  its settings hold" says 0 "calibration.json" inside hairpin config --config /etc/hairpin/hairpin.toml
json() { inside hairpin doctor --json --config /etc/hairpin/hairpin.toml >"$work/doctor.json" 2>"$work/doctor.err" || true; python3 -m json.tool "$work/doctor.json"; }
check "  doctor --json is JSON" json
check "  inspect shows the model" says 0 "Center_lane" inside hairpin inspect /var/lib/hairpin/model
cp "$repo/tests/tapes/drawn-lane/drive.mcap" "$car/tmp/drive.mcap"
check "  replay of the bundled tape: 0 differing bits" says 0 "0 differing bits" inside hairpin replay /tmp/drive.mcap \
    --model /var/lib/hairpin/models/line-follower --set vehicle.calibration=factory --expect

# ---- the unit and the rules
verify() { # needs to see control groups; says nothing of what is right
    mounts='mount --rbind /sys $0/sys' inside systemd-analyze verify /etc/systemd/system/hairpin.service >"$work/out" 2>&1 || return
    ! grep . "$work/out"
}
check "systemd-analyze verify, systemd $(chroot "$cache" systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p'): no word" verify
if (($(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p') >= 250)); then
    exposure=$(systemd-analyze security --offline=true "$repo/deploy/hairpin.service" 2>/dev/null | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
    check "systemd-analyze security: ${exposure:-?}, wanted at most 2.0" awk "BEGIN { exit !(${exposure:-99} <= 2.0) }"
else
    echo "           systemd-analyze security --offline wants systemd 250, skipped"
fi
if udevadm verify --help >/dev/null 2>&1; then check "udevadm verify" udevadm verify "$repo/deploy/60-hairpin.rules"; else echo "           udevadm verify wants systemd 254, skipped"; fi

# ---- again
seen times >"$work/after.times"
check "a second install has nothing to do" says 0 "^nothing to do" installer
check "  and still names the model that is not imported" grep -q "not tried again: Broken" "$work/out"
seen times >"$work/again.times"
check "  listing with times" equal "$work/after.times" "$work/again.times"

# ---- another program
cp "$binary" "$car/kit/hairpin" && echo >>"$car/kit/hairpin"
printf 'from=b\nto=a\ntries=0\n' >"$car/opt/hairpin/trial"
check "another program goes to the other slot" says 0 "slot b" installer
check "  which runs, and ends an open trial; the old one stays" test \
    "$(readlink "$car/opt/hairpin/current") $(stat -c %s "$car"/opt/hairpin/{a,b}/hairpin | paste -sd ' ') $(cd "$car/opt/hairpin" && echo *)" = \
    "b $(stat -c %s "$binary") $(($(stat -c %s "$binary") + 1)) a b current settle"
cp "$binary" "$car/kit/hairpin"

# ---- off again
check "--remove" says 0 "^remove: done" installer --remove
seen >"$work/removed"
settled <"$work/before" >"$work/before.settled"
settled <"$work/removed" >"$work/removed.settled"
check "  listing as before; kept by promise: /var/lib/hairpin, /etc/hairpin" equal "$work/before.settled" "$work/removed.settled"
check "  models and settings are still there" test -f "$car/var/lib/hairpin/models/Center_lane/model.pb" -a -f "$car/etc/hairpin/hairpin.toml"
check "  a second --remove has nothing to do" says 0 "^nothing to do" installer --remove
check "--remove --purge takes those as well" says 0 "remove models, tapes and settings" installer --remove --purge
seen >"$work/purged"
untouched <"$work/before" >"$work/before.less"
untouched <"$work/purged" >"$work/purged.less"
check "  listing as before, all of it" equal "$work/before.less" "$work/purged.less"

# ---- a stock service that was disabled stays so
systemctl --quiet --root="$car" disable deepracer-core.service
check "install and --remove where the stock service was disabled" says 0 "^install: done" installer
check "  and off" says 0 "restore deepracer-core.service: disabled" installer --remove --purge
check "  it is disabled still" test "$(systemctl --root="$car" is-enabled deepracer-core.service || true)" = disabled
systemctl --quiet --root="$car" enable deepracer-core.service

# ---- interrupted: killed at its n-th rename, then run again
seen quick | untouched >"$work/before.quick"
installer >"$work/cut.out" 2>&1
seen quick | untouched >"$work/after.quick"
installer --remove --purge >"$work/cut.out" 2>&1
mkdir -p "$car/cuts"
cuts=0 wrong=
for cut in 1 3 5 7 9 11 13; do
    rm -f "$car/cuts/calls"
    printf '#!/bin/sh\necho >>/cuts/calls\n[ "$(wc -l </cuts/calls)" -lt %s ] || kill -9 $PPID\nexec /bin/mv "$@"\n' "$cut" >"$car/cuts/mv"
    chmod +x "$car/cuts/mv"
    stubs=/cuts: installer >"$work/cut.out" 2>&1 && wrong+=" $cut:not-cut"
    installer >"$work/cut.out" 2>&1 || wrong+=" $cut:second-run"
    seen quick | untouched | cmp -s - "$work/after.quick" || wrong+=" $cut:differs"
    installer --remove --purge >"$work/cut.out" 2>&1 || wrong+=" $cut:remove"
    seen quick | untouched | cmp -s - "$work/before.quick" || wrong+=" $cut:not-as-before"
    cuts=$((cuts + 1))
done
check "killed at $cuts moments, run again: as installed at once; removed: as before${wrong:+;$wrong}" test -z "$wrong"
rm -rf "$car/cuts"
