# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# A new version into the other slot: one that is another file but runs, and one that is no hairpin at all.
slot() { readlink /opt/hairpin/current; }
runs() { readlink "/proc/$(shows hairpin MainPID)/exe"; }
digest() { sha256sum <"$1" | cut -c1-64; }
systemctl start camera hairpin
check "the service is up and disarmed" patiently 30 up
before=$(slot)
cp "/opt/hairpin/$before/hairpin" /srv/new
printf x >>/srv/new
check "a digest that does not fit is refused" sh -c "! hairpin update /srv/new --sha256 $(digest /opt/car-vm/feeder)"
check "and nothing changed" equals "$(slot)" "$before"
check "update with the right digest" hairpin update /srv/new --sha256 "$(digest /srv/new)" --yes
after=$(slot)
check "the other slot runs" equals "$(runs)" "/opt/hairpin/$after/hairpin"
check "it is another slot than before" sh -c "[ '$before' != '$after' ]"
check "up, and disarmed" patiently 30 up
check "the trial is over" patiently 10 test ! -e /opt/hairpin/trial
cp /opt/car-vm/feeder /srv/broken
check "a program that does not come up is an error" sh -c "! hairpin update /srv/broken --sha256 $(digest /srv/broken) --yes"
check "the one from before runs again" patiently 30 sh -c "[ \"\$(readlink /opt/hairpin/current)\" = '$after' ]"
check "up, and disarmed" patiently 30 up
check "no trial is left" test ! -e /opt/hairpin/trial
check "neutral on both pins, no power" equals "$(pins)" "$neutral_throttle $(mid Servo) 1"
