#!/usr/bin/env bash
# Installs build tools named in deploy/tools.txt into a Python environment under target/ and prints its root.
#
#   deploy/tools.sh NAME...       e.g. deploy/tools.sh ziglang cargo-zigbuild
#
# Writes nothing outside the target folder. Refuses a tool that tools.txt does not pin.
# Exit: 0 installed, 2 usage, 3 cannot be had here (no Python, no network): the reason is on stderr.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
list=$root/deploy/tools.txt
tools=${CARGO_TARGET_DIR:-$root/target}/tools
[[ $tools == /* ]] || tools=$PWD/$tools

say() { echo "tools.sh: $*" >&2; }

(($# > 0)) || { say "name at least one tool of $list"; exit 2; }
command -v python3 >/dev/null || { say "python3 is not installed"; exit 3; }
mkdir -p "$tools"
if [[ ! -x $tools/bin/pip ]]; then
    python3 -m venv "$tools" >&2 || { say "python3 has no venv module (Debian, Ubuntu: apt-get install python3-venv)"; exit 3; }
fi

missing=()
for name in "$@"; do
    line=$(grep -m1 "^$name==" "$list") || { say "$name is not in $list"; exit 2; }
    # The stamp is the pinned line itself: another version or digest is another stamp.
    [[ -f $tools/$name.pin && $(<"$tools/$name.pin") == "$line" ]] || missing+=("$line")
done
if ((${#missing[@]} > 0)); then
    printf '%s\n' "${missing[@]}" >"$tools/wanted.txt"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$tools/wanted.txt" >&2 ||
        { say "pip could not install: ${missing[*]%% *}"; exit 3; }
    for line in "${missing[@]}"; do printf '%s\n' "$line" >"$tools/${line%%==*}.pin"; done
fi
echo "$tools"
