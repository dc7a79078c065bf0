# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# A drive from the camera's frames, with the service's own command line and a tape. The host compares tape and pins.
systemctl stop hairpin
mkdir -p /run/hairpin
mark drive begin
hairpin run --config /etc/hairpin/hairpin.toml --model /var/lib/hairpin/model --operator $socket \
    --record /srv/drive.mcap --force </dev/null >/tmp/drive.txt 2>&1 &
driver=$!
check "it listens for the operator" patiently 10 test -S $socket
check "disarmed at first" patiently 10 sh -c "hairpin operate status --at $socket | grep -qi disarmed"
check "a first frame was decided" patiently 10 grep -q "first frame was decided" /tmp/drive.txt
dial
echo arm >&8
check "armed and moving" patiently 10 moving
sleep 5
echo stop >&8
sleep 0.5
check "stopped: neutral on both pins" equals "$(pins | cut -d' ' -f1,2)" "$neutral_throttle $(mid Servo)"
echo quit >&8
hang_up
check "it ended with code 0" wait $driver
mark drive end
check "no power at the end" equals "$(pins)" "$neutral_throttle $(mid Servo) 1"
keep_log drive
cp /tmp/drive.txt $out/
cp /srv/drive.mcap $out/
rm -rf $out/model
cp -rL /var/lib/hairpin/model $out/model
figure "$(sed -n 's/^hairpin: \(the first frame was decided.*\)/binary start: \1/p' /tmp/drive.txt)"
