#!/usr/bin/env bash
# The emulated car: boots a whole DeepRacer in qemu, installs hairpin on it, drives it, breaks it, and reads what became of
# the pins from an observer that hairpin knows nothing of.
#
#   tests/car-vm/run.sh [BINARY [SCENARIO...]]
#
# BINARY     the portable one; default: what deploy/build-portable.sh built
# SCENARIO   some of: install service boot doctor record drive faults update remove readme; default: all, in this order. All
#            but install and readme want install before them.
#
# One line a check: ok, FAILED, or figure for what is measured and not judged. Everything that the car brought out stays in
# target/car-vm/share/out. HAIRPIN_CAR_VM_SECONDS (default 1200): real time that the machine may take.
# Exit: 0 all well, 1 something FAILED, 2 usage, 77 cannot be had here: the reason is on stderr.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
case ${1:-} in -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;; esac
target=${CARGO_TARGET_DIR:-$root/target}
binary=${1:-$target/x86_64-unknown-linux-gnu/release/hairpin}
shift || true
all=(install service boot doctor record drive faults update remove readme)
wanted=("$@")
((${#wanted[@]} > 0)) || wanted=("${all[@]}")
say() { echo "car-vm: $*" >&2; }
[[ -x $binary ]] || { say "no program at $binary; deploy/build-portable.sh builds one"; exit 2; }
binary=$(realpath "$binary")
for name in "${wanted[@]}"; do [[ -f $here/scenarios/$name.sh ]] || { say "no scenario $name; there are ${all[*]}"; exit 2; }; done

work=$(realpath -m "$target/car-vm")
begun=$SECONDS
"$here/build.sh" "$work"
made=$((SECONDS - begun))

# What a user has: a release, on a stick. The rest is the test's, in a shared folder.
share=$work/share
rm -rf "$share" "$work/kit" "$work/stick.tar"
mkdir -p "$share/out" "$work/kit"
version=$("$binary" --version | cut -d' ' -f2)
name=hairpin-$version-x86_64-unknown-linux-gnu
mkdir -p "$work/kit/$name/models"
cp "$binary" "$work/kit/$name/hairpin"
cp "$root"/deploy/{install.sh,settle.sh,hairpin.service,hairpin.toml,60-hairpin.rules} "$work/kit/$name/"
cp -r "$root/models/line-follower" "$work/kit/$name/models/"
tar -C "$work/kit" -cf - "$name" | gzip -1 >"$work/kit/$name.tar.gz"
tar -C "$work/kit" -cf "$work/stick.tar" "$name" "$name.tar.gz"
# Memory comes in pieces of 2 MiB.
stick=$(((($(stat -c %s "$work/stick.tar") >> 21) + 1) << 21))
truncate -s "$stick" "$work/stick.tar"
rm -rf "$work/kit"
cp "$root/README.md" "$share/"
cp -r "$here/scenarios" "$share/"
mv "$share/scenarios/guest.sh" "$share/guest.sh"
for name in "${wanted[@]}"; do
    if [[ $name == boot ]]; then echo reboot; fi
    echo "$name"
done >"$share/todo"

# Denverton is the server sibling of the car's Goldmont: SSE4.2, no AVX. What the emulator lacks of it is named, to keep
# its warnings out; without erms the kernel copies eight bytes an instruction and not one.
# Time is counted in instructions, one a nanosecond, and idle time is skipped (-icount): how busy this machine is does not
# change what the car sees. That wants one processor; the car has two.
cpu=Denverton,-sha-ni,-rdseed,-xsavec,-arch-capabilities,-spec-ctrl,-ssbd,-3dnowprefetch,-x2apic,-tsc-deadline
cpu+=,-rdctl-no,-skip-l1dfl-vmentry,-erms
machine=(-machine "pc,nvdimm=on" -accel "tcg,thread=single" -icount "shift=0,sleep=off" -cpu "$cpu" -smp 1 -m "1024,slots=2,maxmem=4G"
    -nic none -display none -monitor none -serial "file:$share/out/serial.txt"
    -kernel "$work/vmlinuz" -initrd "$work/initrd.gz"
    -append "console=ttyS0 quiet preempt=full mitigations=off panic=-1 random.trust_cpu=on"
    # Disks are memory to the guest: a disk of the host's would answer in the host's time. What is written is kept over a
    # reboot and gone afterwards (share=off).
    -object "memory-backend-file,id=root,mem-path=$work/root.img,size=2G,share=off"
    -device "nvdimm,memdev=root"
    -object "memory-backend-file,id=stick,mem-path=$work/stick.tar,size=$stick,share=off"
    -device "nvdimm,memdev=stick"
    -virtfs "local,path=$share,mount_tag=share,security_model=none"
    # The BIOS version and the PCI functions that a DeepRacer has.
    -smbios "type=0,version=0.0.8"
    -device "pci-testdev,addr=17.0,multifunction=on" -device "pci-testdev,addr=17.3")
started=$SECONDS
code=0
timeout "${HAIRPIN_CAR_VM_SECONDS:-1200}" qemu-system-x86_64 "${machine[@]}" >"$share/out/qemu.txt" 2>&1 || code=$?
ran=$((SECONDS - started))

bad=0
[[ -f $share/out/checks ]] && cat "$share/out/checks"
if [[ ! -f $share/out/code || $(<"$share/out/code") != 0 || -s $share/todo ]]; then
    echo "FAILED machine  did not come to its end (qemu $code after $ran s); left to do: $(tr '\n' ' ' <"$share/todo")"
    tail -n 5 "$share/out/qemu.txt" "$share/out/serial.txt" "$share/out/guest.log" >&2 2>/dev/null || true
    bad=1
fi
python3 "$here/judge.py" "$share/out" "$binary" "$work/frames.pack" || bad=1
if grep -q '^FAILED' "$share/out/checks" 2>/dev/null; then bad=1; fi
say "$(grep -c '^ok' "$share/out/checks" || true) checks in the car; made in $made s, ran for $ran s"
exit $bad
