#!/usr/bin/env bash
# Dresses a Debian root file system as a DeepRacer: what the stock image has that an installer or a driver looks for.
#
#   guest/dress.sh TREE REPOSITORY
#
# Not a copy of AWS's image: the folders, file names and unit name are those of car.md §1.5, §4 and §9; what is in them is
# ours. The stock service is a stand-in that sleeps.
# Exit: 0 done, 2 usage.
set -euo pipefail

(($# == 2)) || { echo "usage: guest/dress.sh TREE REPOSITORY" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$1 repository=$2
stock=$tree/opt/aws/deepracer

# The stock stack.
mkdir -p "$stock/util" "$stock/camera" "$stock/artifacts/Sample_lane"
install -m 755 "$here/start_ros.sh" "$stock/start_ros.sh"
install -m 644 "$here/calibration.json" "$stock/calibration.json"
install -m 644 "$here/deepracer-core.service" "$tree/etc/systemd/system/deepracer-core.service"
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
ln -sf /etc/systemd/system/deepracer-core.service "$tree/etc/systemd/system/multi-user.target.wants/"
install -m 644 "$repository"/models/line-follower/{model.pb,model_metadata.json} "$stock/artifacts/Sample_lane/"
md5sum <"$stock/artifacts/Sample_lane/model.pb" | cut -d' ' -f1 >"$stock/artifacts/Sample_lane/checksum.txt"

# The hardware, from the first moment of a boot, as on a car.
echo deepracer >"$tree/etc/hostname"
printf '127.0.0.1 localhost deepracer\n' >"$tree/etc/hosts"
printf '%s\n' drsim i2c-dev v4l2loopback >"$tree/etc/modules-load.d/car-vm.conf"
echo 'options v4l2loopback devices=2 video_nr=0,9 exclusive_caps=1,1 max_buffers=4 card_label=car-vm,car-vm' >"$tree/etc/modprobe.d/car-vm.conf"
install -m 644 "$here"/{camera,car-vm}.service "$tree/etc/systemd/system/"
install -m 755 "$here/runner.sh" "$tree/opt/car-vm/runner.sh"
for unit in camera car-vm; do ln -sf "/etc/systemd/system/$unit.service" "$tree/etc/systemd/system/multi-user.target.wants/"; done

# What costs an emulated processor time and is not a car's.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer logrotate.timer man-db.timer \
    systemd-timesyncd.service e2scrub_reap.service getty@tty1.service serial-getty@ttyS0.service \
    systemd-update-utmp.service systemd-networkd-wait-online.service; do
    ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
# The image has booted before, as far as systemd is concerned: no presets, no hardware database, no linker cache anew.
echo 4ca54ca54ca54ca54ca54ca54ca54ca5 >"$tree/etc/machine-id"
mkdir -p "$tree/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\n' >"$tree/etc/systemd/journald.conf.d/car-vm.conf"
passwd --root "$tree" --delete root >/dev/null
touch "$tree/etc/.updated" "$tree/var/.updated"
