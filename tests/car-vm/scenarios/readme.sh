# shellcheck shell=bash disable=SC2154,SC2086 # names and words without blanks come from guest.sh
# README's section "On your car", to the letter: every line of its shell blocks is run as it stands there, in order, by a
# user who may sudo. Where a line wants somebody at the keyboard, what is typed there stands here.
cd /
systemctl start camera
useradd --create-home --shell /bin/bash racer
echo 'racer ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/racer
tar -C /home/racer -xf $stick --wildcards 'hairpin-*.tar.gz'
awk '/^## / { inside = $0 == "## On your car" } inside && /^```/ { block = !block; next } inside && block' /share/README.md >/tmp/readme.txt
check "there are commands to copy" test "$(wc -l </tmp/readme.txt)" -ge 8
lines=0
folder=/home/racer
typed() { # LINE: what a person types there, with the pauses a person makes
    case $1 in
        *"hairpin operate status"*) ;;
        *"hairpin operate"*) sleep 1; echo arm; sleep 2.5; echo; sleep 0.5 ;;
        *"hairpin run"*) sleep 3; echo arm; sleep 2.5; echo; sleep 0.5; echo quit; sleep 1 ;;
    esac
}
while IFS= read -r command <&7; do
    [ -n "$command" ] || continue
    lines=$((lines + 1))
    # As root of a terminal's own shell, which remembers the folder.
    # shellcheck disable=SC2016 # for the other shell
    printf 'cd %q\n%s\ncode=$?\npwd >/tmp/folder\nexit $code\n' "$folder" "$command" >/tmp/line.sh
    rm -f /tmp/folder
    mark readme $lines
    check "\$ $(cut -d'#' -f1 <<<"$command" | sed 's/ *$//')" sh -c 'cat | runuser -u racer -- bash /tmp/line.sh' < <(typed "$command")
    folder=$(cat /tmp/folder 2>/dev/null || echo "$folder")
done 7</tmp/readme.txt
keep_log readme
drives=$(awk '/ mark readme 1$/ { on = 1 } !on { next } $2 == "gpio" && $3 == 2 { if ($4 == 0 && last == 1) count++; last = $4 } END { print count + 0 }' $out/readme.log)
check "both drives opened the gate: $drives" test "$drives" -ge 2
check "the stock service is back" patiently 20 systemctl is-active deepracer-core
