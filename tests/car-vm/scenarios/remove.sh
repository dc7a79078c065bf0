# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# Takes hairpin off again, with everything that it brought.
check "install.sh --remove --purge" /srv/hairpin-*-linux-gnu/install.sh --local --remove --purge --yes
check "the stock service runs again" patiently 20 systemctl is-active deepracer-core
check "the stock service is enabled again" equals "$(systemctl is-enabled deepracer-core)" enabled
check "nothing of hairpin is left" sh -c '! find /etc /opt /usr/local /var/lib /run -name "*hairpin*" | grep .'
check "the calibration is as it was" sha256sum -c /srv/calibration.sum
check "neutral on both pins, no power" equals "$(pins)" "$neutral_throttle $(mid Servo) 1"
