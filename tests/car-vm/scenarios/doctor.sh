# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# The doctor, with the service out of the way.
systemctl stop hairpin
cd /var/lib/hairpin/tapes || exit 1
check "doctor is green (code 0)" hairpin doctor --config /etc/hairpin/hairpin.toml --model /var/lib/hairpin/model --tapes /var/lib/hairpin/tapes
hairpin doctor --config /etc/hairpin/hairpin.toml --model /var/lib/hairpin/model --tapes /var/lib/hairpin/tapes >$out/doctor.txt 2>&1
