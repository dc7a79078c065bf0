# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# Puts hairpin onto the car from an unpacked release, twice; the second run changes nothing.
listing() {
    { find /etc /opt /usr/local /var/lib/hairpin -printf '%p %y %m %U %G %l %s\n' 2>/dev/null
      find /etc /opt /usr/local /var/lib/hairpin -type f -exec sha256sum {} + 2>/dev/null; } | sort
}
tar -C /srv -xf $stick --wildcards 'hairpin-*/*'
kit=$(echo /srv/hairpin-*-linux-gnu)
sha256sum /opt/aws/deepracer/calibration.json >/srv/calibration.sum
check "the stock service runs before" systemctl is-active deepracer-core
check "install.sh --local" $kit/install.sh --local --yes
check "nothing on the pins but neutral, and no power" equals "$(pins)" "$neutral_throttle $(mid Servo) 1"
listing >/tmp/first.txt
check "install.sh --local a second time" $kit/install.sh --local --yes
listing >/tmp/second.txt
check "the second installation changed nothing" diff /tmp/first.txt /tmp/second.txt
check "the stock service is stopped" equals "$(systemctl is-active deepracer-core)" inactive
check "the stock service is disabled" equals "$(systemctl is-enabled deepracer-core)" disabled
check "the calibration is as it was" sha256sum -c /srv/calibration.sum
check "the stock model was imported" test -f /var/lib/hairpin/models/Sample_lane/model.toml
figure "installed: $(du -sk /opt/hairpin /var/lib/hairpin /etc/hairpin | awk '{ sum += $1 } END { print sum }') KiB, of it the binary $(($(stat -L -c %s /opt/hairpin/current/hairpin) / 1024)) KiB"
