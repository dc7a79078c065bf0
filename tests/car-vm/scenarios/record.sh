# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# A hundred frames and more through the real V4L2 path; the host compares each with what was fed.
systemctl stop hairpin
mark record begin
check "record for 4 s" hairpin record /srv/record.mcap --seconds 4 --force --config /etc/hairpin/hairpin.toml
mark record end
cp /srv/record.mcap $out/
keep_log record
