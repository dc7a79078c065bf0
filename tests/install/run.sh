#!/usr/bin/env bash
# The installer on a fresh root file system that is dressed up as a stock car: install, run, install again, interrupt,
# remove, refuse; and settle, which takes back an update that fails.
#
#   tests/install/run.sh [BINARY]         default: what deploy/build-portable.sh built
#
# "Changes nothing" and "restores" are comparisons of listings: path, type, mode, owner, link target and digest of
# everything in that root. The root is Debian 11: the C library of
# the stock car's Ubuntu 20.04 (glibc 2.31), a systemd two versions later (247), and the oldest that Debian's mirror still
# has. It is made once with debootstrap and cached in the target folder. Nothing outside that folder and /tmp is touched;
# the root's own /proc is mounted in a mount namespace that ends with each command.
#
#   install.sh  there and back: listings, the unit, the rules, a second program, interruptions
#   refuse.sh   what it refuses, and in which words; other machines, older systemd
#   ssh.sh      onto another machine
#   settle.sh   the table of deploy/settle.sh, under sh and busybox, and cut after every command
#   booted.sh   the same root booted in a container, where that is possible: the service, driven, killed, updated, removed
#
# One line a check. Wants root; installs debootstrap and systemd-container where they are missing.
# HAIRPIN_INSTALL_PARTS="refuse ssh" runs only these parts;
# Exit: 0 all passed, 1 some failed, 2 usage, 77 skipped for the reason that is printed.
set -euo pipefail
export LC_ALL=C

(($# <= 1)) || { echo "usage: tests/install/run.sh [BINARY]" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$repo/target}
[[ $target == /* ]] || target=$PWD/$target
binary=${1:-$target/x86_64-unknown-linux-gnu/release/hairpin}
suite=bullseye packages=systemd,systemd-sysv,udev
cache=$target/install-root/$suite
skip() { echo "SKIPPED: $*"; exit 77; }

[[ -x $binary ]] || { echo "no program at $binary; deploy/build-portable.sh builds one" >&2; exit 2; }
[[ $(uname -m) == x86_64 ]] || skip "the root file system is for x86_64, this is $(uname -m)"
((EUID == 0)) || skip "only root can make a root file system and change into it"
if [[ ${HAIRPIN_INSTALL_ALONE:-} != "$PPID" ]]; then
    # In a mount namespace of its own: whatever is mounted here is gone with the last process.
    unshare --mount true 2>/dev/null || skip "mount namespaces are not allowed here"
    HAIRPIN_INSTALL_ALONE=$$ unshare --mount --propagation private bash "${BASH_SOURCE[0]}" "$@"
    exit
fi

work=$(mktemp -d)
trap 'cd / && umount -R "$work" && rmdir "$work"' EXIT
mount -t tmpfs -o size=1g,mode=755 none "$work"
if [[ ! -f $cache.made ]]; then
    command -v debootstrap >/dev/null ||
        { apt-get update && apt-get install -y --no-install-recommends debootstrap; } >"$work/apt" 2>&1 ||
        skip "debootstrap is missing and could not be installed: $(tail -n 1 "$work/apt")"
    rm -rf --one-file-system "$cache"
    mkdir -p "$cache"
    begun=$SECONDS
    # From debootstrap's own mirror.
    debootstrap --variant=minbase --include=$packages $suite "$cache" >"$work/debootstrap" 2>&1 ||
        skip "no root file system of $suite could be made: $(tail -n 1 "$work/debootstrap")"
    rm -rf "$cache"/var/cache/apt/archives/*.deb "$cache"/var/lib/apt/lists/*
    date >"$cache.made"
    echo "made       $cache ($((SECONDS - begun)) s)"
fi

passed=0 failed=0
good() { printf 'ok         %s\n' "$*"; passed=$((passed + 1)); }
bad() { printf 'FAILED     %s\n' "$*"; failed=$((failed + 1)); }
check() { # words, then a command that says yes or no
    local words=$1
    shift
    if "$@" >"$work/said" 2>&1; then good "$words"; else bad "$words"; tail -n 15 "$work/said" | sed 's/^/           | /'; fi
}
car=$work/car
inside() { # a command in the car, with a /proc of its own mount
    # shellcheck disable=SC2016 # for the shell in there
    unshare --mount --propagation private sh -c "mount -t proc proc \$0/proc && ${mounts:-true}"' && exec chroot "$0" "$@"' "$car" \
        /usr/bin/env -i "PATH=${stubs:-}/stubs:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}
installer() { inside /kit/install.sh --local "$@"; }
seen() { # everything in the car, path, type, mode, owner, link, digest; with times if asked
    local leave=(-path ./kit -o -path ./proc -o -path ./tmp -o -path ./stubs -o -path ./cuts)
    # Most of a system is here, and its digests take a second: not at every one of many moments.
    [[ ${1:-} != quick ]] || leave+=(-o -path ./usr/share -o -path ./usr/lib -o -path ./usr/bin)
    (
        cd "$car"
        find . -xdev \( "${leave[@]}" \) -prune -o ! -path . -printf "%P %y %m %u:%g %l$([[ ${1:-} != times ]] || echo ' %T@')\n" | sort
        find . -xdev \( "${leave[@]}" \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
    )
}
untouched() { # less the copies that groupadd and groupdel leave of what they change
    grep -vE '(^|  \./)etc/(group|gshadow)-( |$)'
}
settled() { # and less what --remove keeps by promise
    untouched | grep -vE '(^|  \./)(var/lib/hairpin|etc/hairpin)(/| |$)'
}
equal() { # two listings; the first differences are shown
    diff "$1" "$2" | head -n 20
    cmp -s "$1" "$2"
}
says() { # CODE WORDS COMMAND...: what it ends with, and what it says
    local code=$1 words=$2 rc=0
    shift 2
    "$@" >"$work/out" 2>&1 || rc=$?
    cat "$work/out"
    [[ $rc == "$code" ]] || { echo "it ended with $rc, wanted $code"; return 1; }
    grep -qE -- "$words" "$work/out" || { echo "it does not say: $words"; return 1; }
}
dress() { # a stock car: two units, calibration, artifacts; and the installer's kit
    local name folder=$car/opt/aws/deepracer
    if mountpoint -q "$car"; then umount "$car"; fi
    rm -rf "$work/upper" "$work/under" "$car"
    mkdir "$work/upper" "$work/under" "$car"
    mount -t overlay -o "lowerdir=$cache,upperdir=$work/upper,workdir=$work/under" none "$car"
    mkdir -p "$car/kit" "$car/stubs" "$folder/artifacts"/{"Center lane",Broken,no-network,sample}
    # Whether the disk keeps what is synced is not asked here, and this machine's may be busy.
    ln -s /bin/true "$car/stubs/sync"
    cp "$repo"/deploy/{install.sh,hairpin.service,60-hairpin.rules,hairpin.toml,settle.sh} "$car/kit/"
    cp "$binary" "$car/kit/hairpin"
    cp -r "$repo/models" "$car/kit/models"
    for name in deepracer-core deepracer-utility; do
        printf '[Unit]\nAfter=network.target\n[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' \
            >"$car/etc/systemd/system/$name.service"
        systemctl --quiet --root="$car" enable $name.service
    done
    echo '{"Calibration":{"Servo":{"min":1210000,"mid":1450000,"max":1690000,"polarity":1},"Motor":{"min":1311000,"mid":1446000,"max":1603500,"polarity":-1},"version":1}}' \
        >"$folder/calibration.json"
    for name in "Center lane" Broken sample; do
        cp "$repo"/models/line-follower/{model.pb,model_metadata.json} "$folder/artifacts/$name/"
    done
    truncate -s 4000 "$folder/artifacts/Broken/model.pb"
}

for part in ${HAIRPIN_INSTALL_PARTS:-install refuse ssh settle booted}; do
    # shellcheck source=/dev/null # the files beside this one
    . "$here/$part.sh"
done
echo "$passed passed, $failed failed, $SECONDS s"
((failed == 0))
