#!/bin/bash
# Inside the emulated car: mounts the host's folder and runs the script there. Falls silent never: whatever happens, the
# machine goes off in the end, or it reboots where the script asked for it.
set -u
mkdir -p /share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /share || { echo "car-vm: no shared folder"; systemctl --no-block poweroff; exit 1; }
/bin/bash /share/guest.sh >>/share/out/guest.log 2>&1
code=$?
sync
# 90: the script wants the next boot.
if [ $code -eq 90 ]; then systemctl --no-block reboot; else echo $code >/share/out/code; systemctl --no-block poweroff; fi
