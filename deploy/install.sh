#!/usr/bin/env bash
# Puts hairpin onto a car in place of the stock driving software, and takes it off again.
#
#   deploy/install.sh HOST            onto the car that `ssh HOST` reaches; copies what is needed and runs there
#   deploy/install.sh --local         onto this machine; as root
#
#   --remove       take hairpin off and restore the stock service as it was found; models, tapes and settings stay
#   --purge        with --remove: these as well
#   --dry-run      say what would be done, and do nothing
#   --yes          do not ask (nor does it ask where nobody can answer)
#   --force        also on a machine that is neither a DeepRacer nor a Raspberry Pi 4 or 5
#   --binary FILE  the program; default: the one beside this script, else the one that deploy/build-portable.sh built
#   --root DIR     onto a file system that is mounted at DIR and does not run
#
# Says first what it will do. What is there already is left alone, so a second run changes nothing, and after an
# interruption a second run goes on. The car needs no network. Left alone in any case: the stock software itself, which is
# stopped and disabled but stays installed; its calibration.json; the camera's firmware step; the network's settings.
# Exit: 0 done, or nothing to do; 1 refused or failed; 2 usage; 3 installed, but the service does not come up yet.
set -euo pipefail
export LC_ALL=C
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stock=deepracer-core.service
ours=hairpin.service
kept=(--local) mode=install host='' local=0 root='' binary='' dry=0 yes=0 force=0 purge=0
say() { printf '%s\n' "$*" >&2 || true; } # a terminal that went away is no reason to stop half-way
fail() { say "install.sh: $*"; exit 1; }
usage() { say "install.sh: $*; --help says more"; exit 2; }

while (($# > 0)); do
    case $1 in
        --local) local=1 ;;
        --remove) mode=remove; kept+=("$1") ;;
        --purge) purge=1; kept+=("$1") ;;
        --dry-run) dry=1; kept+=("$1") ;;
        --yes) yes=1; kept+=("$1") ;;
        --force) force=1; kept+=("$1") ;;
        --binary) binary=${2:?--binary wants a file}; shift ;;
        --root) root=$(cd "${2:?--root wants a folder}" && pwd); root=${root%/}; shift ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
        -*) usage "unknown option $1" ;;
        *) [[ -z $host ]] || usage "one car at a time, saw $host and $1"; host=$1 ;;
    esac
    shift
done
[[ $local == 0 && -n $host || $local == 1 && -z $host ]] || usage "either name the car, as for ssh, or say --local"
[[ -z $host || -z $root ]] || usage "--root goes with --local"
((purge == 0)) || [[ $mode == remove ]] || usage "--purge goes with --remove"

# What belongs to hairpin lies beside this script in a release, and in the folders of a checkout.
part() {
    local at
    for at in "$here/$1" "$here/../$1"; do
        if [[ -e $at ]]; then echo "$at"; return; fi
    done
    fail "$1 is missing beside $here/install.sh: unpack the release again, or use a checkout"
}
program() { # of a machine, as `uname -m` names it
    local at target=${CARGO_TARGET_DIR:-$here/../target}
    if [[ -n $binary ]]; then echo "$binary"; return; fi
    for at in "$here/hairpin" "$here/../hairpin" "$target/$1-unknown-linux-gnu/release/hairpin"; do
        if [[ -f $at ]]; then echo "$at"; return; fi
    done
    fail "no program for $1: build it with deploy/build-portable.sh --target $1, or name it with --binary"
}
right_machine() { # FILE MACHINE: an ELF program's own word for what it runs on
    local saw wanted
    [[ -f $1 ]] || fail "no file $1"
    case $2 in x86_64) wanted=3e00 ;; aarch64) wanted=b700 ;; *) fail "hairpin is for x86_64 and aarch64, and this is $2" ;; esac
    [[ $(head -c 5 "$1" | od -An -tx1 | tr -d ' ') == 7f454c4602 ]] || fail "$1 is not a 64-bit Linux program"
    saw=$(od -An -tx1 -j18 -N2 "$1" | tr -d ' ')
    [[ $saw == "$wanted" ]] || fail "$1 is for another processor (ELF machine $saw); this one is $2, which wants $wanted"
}

# ---- over ssh

if [[ -n $host ]]; then
    command -v ssh >/dev/null || fail "ssh is not installed here"
    work=$(mktemp -d) there=''
    over=(ssh -o ControlMaster=auto -o "ControlPath=$work/ssh" -o ControlPersist=120)
    trap '[[ -z $there ]] || "${over[@]}" "$host" "rm -rf $there" 2>/dev/null || true
          "${over[@]}" -O exit "$host" 2>/dev/null || true; rm -rf "$work"' EXIT
    machine=$("${over[@]}" "$host" 'uname -m') || fail "ssh $host did not answer"
    mkdir -p "$work/kit/models"
    cp "$here/install.sh" "$work/kit/"
    if [[ $mode == install ]]; then
        file=$(program "$machine")
        right_machine "$file" "$machine"
        cp "$file" "$work/kit/hairpin"
        for name in hairpin.service hairpin.toml 60-hairpin.rules settle.sh; do cp "$(part $name)" "$work/kit/"; done
        cp -r "$(part models/line-follower)" "$work/kit/models/"
    fi
    say "copying $(du -sh "$work/kit" | cut -f1) to $host"
    there=$("${over[@]}" "$host" 'mktemp -d')
    tar -C "$work/kit" -cf - . | "${over[@]}" "$host" "tar -C $there -xf -"
    become=$("${over[@]}" "$host" 'test -w /etc || echo sudo')
    if [[ -t 0 ]]; then over+=(-t); fi # for the question, and for sudo's
    "${over[@]}" "$host" "$become bash $there/install.sh ${kept[*]}"
    exit
fi

# ---- on the machine itself

ctl=(systemctl) live=0
if [[ -n $root ]]; then ctl+=("--root=$root"); elif [[ -d /run/systemd/system ]]; then live=1; fi
home=$root/opt/hairpin state=$root/var/lib/hairpin before=$root/var/lib/hairpin/before.txt
artifacts=$root/opt/aws/deepracer/artifacts calibration=/opt/aws/deepracer/calibration.json
unit=$root/etc/systemd/system/$ours rules=$root/etc/udev/rules.d/60-hairpin.rules link=$root/usr/local/bin/hairpin

words=() steps=() notes=() names=() networks=()
plan() { words+=("$1"); steps+=("$2"); } # what it is called, what does it
flush() { sync "$@" 2>/dev/null || sync; }
same() { [[ -f $2 ]] && cmp -s "$1" "$2" && [[ $(stat -c '%a %u %g' "$2") == "${3:-644} 0 0" ]]; }
put() { # FILE PLACE [MODE]: a power cut leaves the old file or the new one
    cp "$1" "$2.new"
    chown 0:0 "$2.new"
    chmod "${3:-644}" "$2.new"
    flush "$2.new"
    mv -fT "$2.new" "$2"
    flush "$(dirname "$2")"
}
point() { # LINK TARGET, in one step
    ln -sfn "$2" "$1.new"
    mv -fT "$1.new" "$1"
    flush "$(dirname "$1")"
}
enabled() { "${ctl[@]}" is-enabled "$1" 2>/dev/null | grep -v not-found || true; } # nothing where there is no such unit
active() { if ((live == 1)); then systemctl is-active "$1" 2>/dev/null || true; else echo unknown; fi; }

machine_is() { # what makes this a car that hairpin knows, and all that was looked at
    local model product chip
    { model=$(tr -d '\0' <"$root/proc/device-tree/model"); product=$(cat "$root/sys/class/dmi/id/product_name")
      chip=$(find "$root/sys/class/pwm/" -mindepth 1 -lname '*0000:00:17.0*' -printf '%f' -quit); } 2>/dev/null || true
    looked="stock software: $([[ -d $root/opt/aws/deepracer ]] && echo /opt/aws/deepracer || echo none)"
    looked+="; PWM chip at 0000:00:17.0: ${chip:-none}; product: ${product:-none}; device tree: ${model:-none}"
    [[ -d $root/opt/aws/deepracer || -n $chip || ${product,,} == *deepracer* ||
        $model =~ ^Raspberry\ Pi\ (Compute\ Module\ )?[45] ]]
}

do_group() { groupadd --system ${root:+--prefix "$root"} hairpin; }
do_folders() { # tapes are pictures of somebody's home: written by the service, read by its group
    install -d -m 755 "$home" "$home/a" "$home/b" "$root/etc/hairpin" "$state" "$state/models" "$root/usr/local/bin"
    install -d -m 755 "$(dirname "$unit")" "$(dirname "$rules")"
    install -d -m 2775 "$state/tapes"
    chgrp "$(group_id)" "$state/tapes"
}
do_before() {
    install -d -m 755 "$state"
    {
        echo "# What deploy/install.sh found, for --remove. Do not edit."
        echo "enabled=$(enabled $stock)"
        echo "active=$(active $stock)"
        echo "group=$group_was"
        # The very links that enabling made: the same come back.
        find "$root/etc/systemd/system" -lname "*$stock" -printf "link=/etc/systemd/system/%P %l\n" 2>/dev/null | sort || true
    } >"$work/before.txt"
    put "$work/before.txt" "$before"
}
do_program() { put "$binary" "$home/$slot/hairpin" 755; }
do_settle() { put "$(part settle.sh)" "$home/settle" 755; }
do_current() { rm -f "$home/trial"; point "$home/current" "$slot"; }
do_link() { point "$link" /opt/hairpin/current/hairpin; }
do_settings() {
    sed "s|^calibration = \"factory\"\$|$points|" "$(part hairpin.toml)" >"$work/hairpin.toml"
    grep -qxF "$points" "$work/hairpin.toml" || fail "hairpin.toml has no line for the calibration"
    put "$work/hairpin.toml" "$root/etc/hairpin/hairpin.toml"
}
do_bundled() {
    local file place=$state/models/line-follower
    install -d -m 755 "$place"
    for file in "$(part models/line-follower)"/*; do put "$file" "$place/$(basename "$file")"; done
}
do_import() { # a model of the stock software, by its number; one that cannot be imported is named, and no more
    local name=${names[$1]} why
    if "$binary" import "${networks[$1]}" --name "$name" --models "$state/models" >"$work/import" 2>&1; then return; fi
    why=$(sed 's/^hairpin: //; s/^ *because /because /' "$work/import" | paste -sd ' ')
    say "  not imported: $name: $why"
    grep -vF " $name: " "$state/refused.txt" >"$work/refused" 2>/dev/null || true
    echo "$(key "$1") $name: $why" >>"$work/refused" # so that the next run does not try it again
    put "$work/refused" "$state/refused.txt"
}
do_model() {
    local at first=line-follower
    for at in "${!names[@]}"; do
        if [[ -f $state/models/${names[at]}/model.toml ]]; then first=${names[at]}; break; fi
    done
    point "$state/model" "models/$first"
    say "  it is $first; another one: ln -sfn models/NAME /var/lib/hairpin/model && systemctl restart hairpin"
    [[ $first != line-follower ]] || say "  a formula, not trained: it steers for what is brightest. hairpin import brings a trained one"
}
do_rules() { put "$(part 60-hairpin.rules)" "$rules"; reload_rules; }
reload_rules() {
    ((live == 0)) || { udevadm control --reload && udevadm trigger --subsystem-match={pwm,gpio,i2c-dev,video4linux}; } ||
        say "  udev did not take the rules up; they count from the next boot"
}
reload_units() { if ((live == 1)); then systemctl daemon-reload; fi; }
do_unit() { put "$work/$ours" "$unit"; reload_units; }
do_stock() { if ((live == 1)); then systemctl stop $stock; fi; "${ctl[@]}" --quiet disable $stock; }
do_enable() { "${ctl[@]}" --quiet enable $ours; }
do_start() {
    local second
    systemctl reset-failed $ours 2>/dev/null || true
    systemctl --no-block restart $ours
    for second in {1..35}; do
        if [[ $(active $ours) == active ]]; then return; fi
        sleep 1
    done
    say "  not up after $second s, with the pins neutral; hairpin doctor says what stands in the way. Its last words:"
    journalctl -u $ours -n 5 --no-pager -o cat >&2 2>/dev/null || true
    late=1
}
runs_current() { # and not what an interrupted installation replaced
    local pid
    pid=$(systemctl show -p MainPID $ours | cut -d= -f2)
    [[ $(active $ours) == active && $(readlink "/proc/$pid/exe") == "$(readlink -f "$link")" ]]
}
group_id() { sed -n 's/^hairpin:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group" 2>/dev/null || true; }
key() { echo "$binary_digest.$(digest "${networks[$1]}")"; }
digest() { sha256sum <"$1" | cut -c1-64; }
is_imported() { grep -qs "^network_sha256 = \"$(digest "${networks[$1]}")\"" "$state/models/${names[$1]}/model.toml"; }

plan_models() {
    local folder network name at
    for folder in "$artifacts"/*/; do
        network=$(find "$folder" -maxdepth 2 -name '*.pb' 2>/dev/null | sort | sed q) || true # the stock car allows one
        [[ -n $network ]] || continue
        name=$(basename "$folder")
        name=${name//[^A-Za-z0-9._-]/_}
        names+=("${name#.}")
        networks+=("$network")
    done
    if ! diff -rq "$(part models/line-follower)" "$state/models/line-follower" >/dev/null 2>&1; then
        plan "put the bundled model line-follower there: a formula, not trained" do_bundled
    fi
    for at in "${!names[@]}"; do
        if [[ -e $state/models/${names[at]} ]]; then
            is_imported "$at" || notes+=("the model ${names[at]} is not the stock software's any more, and is kept")
        elif grep -qsF "$(key "$at") " "$state/refused.txt"; then
            notes+=("not imported before, and so not tried again: $(sed -n "s/^$(key "$at") //p" "$state/refused.txt")")
        else
            plan "import the stock software's model ${names[at]}" "do_import $at"
        fi
    done
    if [[ ! -e $state/model/model.toml ]]; then plan "choose the first of the models to drive: /var/lib/hairpin/model" do_model; fi
}
check_machine() {
    local needed free where version
    if ! machine_is && ((force == 0)); then
        say "looked at  $looked"
        fail "this is neither a DeepRacer nor a Raspberry Pi 4 or 5; nothing was changed. --force installs all the same"
    fi
    binary=$(program "$(uname -m)")
    right_machine "$binary" "$(uname -m)"
    if ! version=$("$binary" --version 2>&1) || [[ $version != hairpin\ * ]]; then
        fail "$binary does not run here: ${version:-it said nothing}"
    fi
    binary_digest=$(digest "$binary" | cut -c1-16)
    # Two slots, the models once more, and something to live on.
    needed=$(($(stat -c %s "$binary") * 2 / 1024 + $(du -sk "$artifacts" 2>/dev/null | cut -f1 || echo 0) + 20480))
    for where in "$root/opt" "$root/var/lib"; do
        [[ -e $home/current ]] && break
        free=$(df -Pk "$where" | awk 'NR == 2 { print $4 }')
        ((free >= needed)) || fail "$where has $((free >> 10)) MiB free, $((needed >> 10)) are wanted; make room and run it again"
    done
    printf '%-10s %s\n' machine "$looked" program "$version, $(stat -c %s "$binary") bytes, from $binary"
}

adapted_unit() { # what systemd older than the unit would misunderstand, instead of ignoring it
    local of
    of=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
    cp "$(part hairpin.service)" "$work/$ours"
    # Before 239 the group of system calls is unknown, and what is left of the list would allow next to nothing.
    if ((${of:-999} < 239)); then sed -i '/^SystemCallFilter=/d' "$work/$ours"; fi
    # Before 231 a line with "+" is thrown away; the sandbox of that time lets both commands work.
    if ((${of:-999} < 231)); then sed -i 's/^\(Exec[A-Za-z]*=-\{0,1\}\)+/\1/' "$work/$ours"; fi
}

plan_install() {
    local current changed=0
    check_machine; adapted_unit
    group_was=$([[ -n $(group_id) ]] && echo found || echo made)
    if [[ ! -f $before ]]; then plan "note how the stock service is set up: /var/lib/hairpin/before.txt" do_before; fi
    if [[ $group_was == made ]]; then plan "make the group hairpin, whose members may use pins, gauge and camera by hand" do_group; fi
    if [[ ! -d $home/b || ! -d $state/models || ! -d $root/etc/hairpin ||
        $(stat -c %g "$state/tapes" 2>/dev/null) != "$(group_id | grep . || echo none)" ]]; then
        plan "make the folders /opt/hairpin, /etc/hairpin and /var/lib/hairpin" do_folders
    fi
    same "$(part settle.sh)" "$home/settle" 755 || plan "put settle there, which takes back an update that fails" do_settle
    current=$(readlink "$home/current" 2>/dev/null) || current=
    slot=a
    if [[ $current == a ]]; then slot=b; fi
    if [[ -z $current ]] || ! same "$binary" "$home/$current/hairpin" 755; then
        changed=1
        same "$binary" "$home/$slot/hairpin" 755 || plan "copy the program to slot $slot" do_program
        plan "let slot $slot be the one that runs: /opt/hairpin/current" do_current
    elif [[ -e $home/trial ]]; then
        changed=1 slot=$current
        plan "end the trial of slot $slot: it stays" do_current
    fi
    [[ $(readlink "$link" 2>/dev/null) == /opt/hairpin/current/hairpin ]] || plan "link /usr/local/bin/hairpin to it" do_link
    points="calibration = \"$calibration\""
    if [[ ! -f $root$calibration ]]; then
        points="# calibration = \"factory\"" # to write it would be to say that the factory's points fit this car
        notes+=("this car is not calibrated: hairpin does not drive before \`hairpin calibrate\`, wheels up")
    fi
    [[ -f $root/etc/hairpin/hairpin.toml ]] || plan "write /etc/hairpin/hairpin.toml, with $points" do_settings
    plan_models
    same "$(part 60-hairpin.rules)" "$rules" || plan "put the udev rules there: /etc/udev/rules.d/60-hairpin.rules" do_rules
    if ! same "$work/$ours" "$unit"; then
        changed=1
        plan "put the service there: /etc/systemd/system/$ours" do_unit
    fi
    if [[ $(enabled $stock) == enabled* || $(active $stock) =~ ^(active|activating|reloading)$ ]]; then
        plan "stop and disable the stock service $stock; it stays installed" do_stock
        if ((live == 1)) && systemctl cat $stock 2>/dev/null | grep -q 'ExecStop=.*otg'; then
            notes+=("when the stock service stops it takes the USB cable's network (10.0.0.1) down: over that cable you will be" \
                "disconnected at this step; the installation goes on, and the car is reached again by Wi-Fi or after a boot")
        fi
    fi
    # Last: a car that was cut off half-way starts what it started before.
    [[ $(enabled $ours) == enabled ]] || plan "start hairpin at every boot" do_enable
    if ((live == 1)) && { ((changed == 1)) || ! runs_current; }; then
        plan "start hairpin now, disarmed$([[ $(active $ours) != active ]] || echo "; a car that drives is stopped")" do_start
    fi
    if [[ -f $root$calibration && $(stat -c %u "$root$calibration") != 0 && ! $(stat -c %A "$root$calibration") =~ r..$ ]]; then
        notes+=("$calibration can be read by its owner only: the service drives without privileges and needs chmod o+r")
    fi
}

# ---- off again
do_stop() {
    if ((live == 1)) && [[ -e $unit ]]; then systemctl stop $ours; fi
    "${ctl[@]}" disable $ours >/dev/null 2>&1 || true
    rm -f "$unit"
    reload_units
}
do_files() { rm -f "$link" "$rules"; rm -rf "$home"; reload_rules; }
do_restore() {
    local place target active
    active=$(was active)
    sed -n 's/^link=//p' "$before" | while read -r place target; do
        mkdir -p "$(dirname "$root$place")"
        [[ $(readlink "$root$place" 2>/dev/null) == "$target" ]] || ln -sfn "$target" "$root$place"
    done
    rm -f "$before"
    reload_units
    if ((live == 1)) && [[ $active =~ ^(active|activating|reloading)$ ]]; then systemctl --no-block start $stock; fi
}
do_ungroup() { # which is somebody's only group, perhaps
    chgrp -R 0 "$state"
    groupdel ${root:+--prefix "$root"} hairpin 2>/dev/null || say "  the group hairpin stays: somebody belongs to it"
}
do_purge() { rm -rf "$state" "$root/etc/hairpin"; }
was() { sed -n "s/^$1=//p" "$before" 2>/dev/null; }

plan_remove() {
    if [[ -e $unit || -n $(enabled $ours) ]]; then plan "stop hairpin, pins neutral, and take its service off" do_stop; fi
    if [[ -e $home || -L $link || -e $rules ]]; then plan "remove /opt/hairpin, /usr/local/bin/hairpin and the udev rules" do_files; fi
    if [[ -f $before ]]; then
        plan "restore $stock: $(was enabled | grep . || echo "not installed"), $(was active)" do_restore
        if [[ $(was group) == made && -n $(group_id) ]]; then plan "remove the group hairpin" do_ungroup; fi
    elif ((${#words[@]} > 0)); then
        notes+=("how the stock service was is not known here; systemctl enable --now $stock starts it")
    fi
    if ((purge == 1)) && [[ -e $state || -e $root/etc/hairpin ]]; then
        plan "remove models, tapes and settings: /var/lib/hairpin and /etc/hairpin" do_purge
    elif ((${#words[@]} > 0)); then
        notes+=("models, tapes and settings stay: /var/lib/hairpin and /etc/hairpin; --purge removes them too")
    fi
}

# ---- first the plan, then the deed

((EUID == 0 || dry == 1)) || fail "only root may do this: sudo $0 ${kept[*]}"
command -v systemctl >/dev/null || fail "this machine has no systemd, which hairpin's service wants"
work=$(mktemp -d)
done=0 late=0 running=0
ended() {
    local code=$?
    rm -rf "$work"
    ((running == 0)) || say "install.sh: stopped at \"${words[done]}\", $done of ${#words[@]} steps are done; run it again to go on"
    exit "$code"
}
trap ended EXIT
"plan_$mode"

for at in "${!words[@]}"; do echo "  will       ${words[at]}"; done
for at in "${!notes[@]}"; do echo "  note       ${notes[at]}"; done
if ((${#words[@]} == 0)); then echo "nothing to do"; exit 0; fi
if ((dry == 1)); then exit 0; fi
if ((yes == 0)) && [[ -t 0 ]]; then
    read -r -p "go on? [y/N] " answer
    [[ ${answer,,} == y || ${answer,,} == yes ]] || { say "nothing was changed"; exit 1; }
fi
# The connection that this was started over may end on the way.
trap '' HUP PIPE
running=1
for ((done = 0; done < ${#steps[@]}; done++)); do
    say "- ${words[done]}"
    ${steps[done]}
done
running=0
flush
if ((late == 1)); then say "installed, but the service has not come up yet"; exit 3; fi
echo "$mode: done, ${#words[@]} steps" || true
