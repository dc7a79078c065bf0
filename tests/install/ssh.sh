# shellcheck shell=bash disable=SC2154,SC2016 # run.sh sets what is used here; quoted dollars are for other shells
# `install.sh HOST`: the same by a stand-in for ssh, which runs what it is told inside the car. Sourced by run.sh.

dress
rm -rf "$car/kit"
mkdir -p "$car/kit" "$work/ssh-bin"
cat >"$work/ssh-bin/ssh" <<STUB
#!/bin/bash
# Takes the options that install.sh gives; what is left is the host and one command.
echo "\$*" >>"$work/ssh.log"
while [[ \$1 == -* ]]; do case \$1 in -t) shift ;; -O) exit 0 ;; *) shift 2 ;; esac; done
[[ \$1 == deepracer@car ]] || { echo "ssh: Could not resolve hostname \$1" >&2; exit 255; }
exec unshare --mount --propagation private sh -c 'mount -t proc proc "\$0/proc" && exec chroot "\$0" /bin/sh -c "\$1"' "$car" "\$2"
STUB
chmod +x "$work/ssh-bin/ssh"
by_ssh() { PATH=$work/ssh-bin:$PATH "$repo/deploy/install.sh" deepracer@car --binary "$binary" "$@"; }
seen quick | untouched >"$work/ssh.before"
check "ssh: a dry run" says 0 "will +copy the program to slot a" by_ssh --dry-run
seen quick | untouched >"$work/ssh.dry"
check "  changes nothing" equal "$work/ssh.before" "$work/ssh.dry"
check "ssh: install" says 0 "^install: done" by_ssh --yes
check "  runs there" says 0 "^hairpin [0-9]" inside hairpin --version
check "  leaves nothing in /tmp" test -z "$(find "$car/tmp" -mindepth 1)"
check "  all over one connection" test "$(grep -c 'ControlMaster=auto' "$work/ssh.log")" = "$(wc -l <"$work/ssh.log")"
check "ssh: again, nothing to do" says 0 "^nothing to do" by_ssh
check "ssh: --remove --purge" says 0 "^remove: done" by_ssh --remove --purge
seen quick | untouched >"$work/ssh.removed"
check "  listing as before" equal "$work/ssh.before" "$work/ssh.removed"
elsewhere() { PATH=$work/ssh-bin:$PATH "$repo/deploy/install.sh" nobody@nowhere; }
check "ssh: a car that does not answer" says 1 "ssh nobody@nowhere did not answer" elsewhere
other() { PATH=$work/ssh-bin:$PATH "$repo/deploy/install.sh" deepracer@car --binary "$work/other"; }
cp "$binary" "$work/other" && printf '\xb7' | dd of="$work/other" bs=1 seek=18 conv=notrunc status=none
check "ssh: a program for another processor is refused before it is copied" says 1 "is for another processor" other
