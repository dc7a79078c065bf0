# shellcheck shell=bash disable=SC2154,SC2016 # run.sh sets what is used here; quoted dollars are for other shells
# What the installer refuses, with which words; and that it changes nothing then. Sourced by run.sh.

# As a car, and as what is none: empty trees, by --root.
tree() { # a tree that stands for a machine; what it has follows as PATH=TEXT
    local entry
    rm -rf "$work/tree"
    mkdir -p "$work/tree"/{opt,etc/systemd/system,var/lib,proc/device-tree,sys/class/pwm,sys/class/dmi/id}
    for entry in "$@"; do
        mkdir -p "$(dirname "$work/tree/${entry%%=*}")"
        if [[ ${entry#*=} == '->'* ]]; then ln -s "${entry#*=->}" "$work/tree/${entry%%=*}"; else printf '%s\0' "${entry#*=}" >"$work/tree/${entry%%=*}"; fi
    done
}
on_tree() { "$repo/deploy/install.sh" --local --root "$work/tree" --binary "$binary" --dry-run "$@"; }
tree
check "refuses a machine that is no car, and shows what it looked at" says 1 "neither a DeepRacer nor a Raspberry Pi 4 or 5" on_tree
check "  stock software: none" grep -q "stock software: none; PWM chip at 0000:00:17.0: none; product: none; device tree: none" "$work/out"
check "  --force installs all the same" says 0 "start hairpin at every boot" on_tree --force
check "  and does not take the factory's calibration for the car's" grep -q "this car is not calibrated" "$work/out"
tree "sys/class/dmi/id/product_name=Laptop 15" "proc/device-tree/model=Raspberry Pi 3 Model B Plus" "sys/class/pwm/pwmchip0=->../../devices/pci0000:00/0000:00:15.0/pwm/pwmchip0"
check "  a Raspberry Pi 3, a laptop, a chip elsewhere" says 1 "neither" on_tree
for model in "Raspberry Pi 4 Model B Rev 1.4" "Raspberry Pi 5 Model B Rev 1.0" "Raspberry Pi Compute Module 4 Rev 1.0"; do
    tree "proc/device-tree/model=$model"
    check "knows a $model" says 0 "start hairpin at every boot" on_tree
done
tree "sys/class/pwm/pwmchip0=->../../devices/pci0000:00/0000:00:17.0/i2c/pwm/pwmchip0"
check "knows a DeepRacer by its PWM chip" says 0 "0000:00:17.0: pwmchip0;" on_tree
tree "sys/class/dmi/id/product_name=AWS DeepRacer"
check "knows a DeepRacer by its product name" says 0 "product: AWS DeepRacer" on_tree

# With programs that do not fit.
tree "opt/aws/deepracer/calibration.json={}"
with() { "$repo/deploy/install.sh" --local --root "$work/tree" --yes --binary "$@"; }
find "$work/tree" | sort >"$work/tree.before"
cp "$binary" "$work/other" && printf '\xb7' | dd of="$work/other" bs=1 seek=18 conv=notrunc status=none
check "refuses a program for another processor" says 1 "is for another processor \(ELF machine b700\)" with "$work/other"
check "refuses a text" says 1 "is not a 64-bit Linux program" with "$repo/README.md"
head -c 100000 "$binary" >"$work/short" && chmod +x "$work/short"
check "refuses half a program" says 1 "does not run here" with "$work/short"
check "refuses another program" says 1 "does not run here: true" with /bin/true
check "refuses no program" says 1 "no file $work/none" with "$work/none"
full() { unshare --mount sh -c 'mount -t tmpfs -o size=30m none "$0/opt" && exec "$@"' "$work/tree" "$repo/deploy/install.sh" --local --root "$work/tree" --force --yes --binary "$binary"; }
check "refuses a disk without room, and says how much is wanted" says 1 "/opt has [0-9]+ MiB free, [0-9]+ are wanted" full
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups bash "$work/for-all/install.sh" --local --yes; }
mkdir -p "$work/for-all" && cp "$repo/deploy/install.sh" "$work/for-all/" && chmod 755 "$work" "$work/for-all"
check "refuses whoever is not root, and says how" says 1 "only root may do this: sudo .*install.sh --local" nobody
for wrong in "" "--local car" "--purge --local" "car --root /mnt" "--nonsense" "one two"; do
    # shellcheck disable=SC2086 # the words of a command line
    check "refuses the command line '$wrong'" says 2 "install.sh: " "$repo/deploy/install.sh" $wrong
done
find "$work/tree" | sort >"$work/tree.after"
check "  nothing was changed by any of them" equal "$work/tree.before" "$work/tree.after"

# Systemd that is older than the unit: two lines would be misunderstood.
for version in 229 237 247; do
    mkdir -p "$work/old"
    printf '#!/bin/sh\n[ "$1" = --version ] && { echo "systemd %s"; exit; }\nexec /bin/systemctl "$@"\n' $version >"$work/old/systemctl"
    chmod +x "$work/old/systemctl"
    tree "opt/aws/deepracer/calibration.json={}" "etc/group=root:x:0:" "etc/gshadow=root:*::"
    check "installs onto a file system that is mounted somewhere, beside a systemd $version" says 0 "^install: done" env "PATH=$work/old:$PATH" \
        "$repo/deploy/install.sh" --local --root "$work/tree" --yes --binary "$binary"
    unit=$work/tree/etc/systemd/system/hairpin.service
    saw="$(grep -c '^SystemCallFilter=' "$unit" || true) $(grep -cE '^Exec[A-Za-z]*=-?\+' "$unit" || true) $(grep -cE '^Exec' "$unit" || true)"
    case $version in 229) wanted="0 0 3" ;; 237) wanted="0 2 3" ;; *) wanted="2 2 3" ;; esac
    check "the unit for systemd $version: system call filters, unconfined commands, commands: $saw" test "$saw" = "$wanted"
done
