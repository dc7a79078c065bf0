#!/bin/sh
# Tests of the tests: every small change that can be made to src/lease must make one of tests/lease_*.rs fail. There is no
# list of exceptions.
#
#   tests/mutants/run.sh             prints caught, missed, unviable, timed out; fails where one is missed or timed out
#   tests/mutants/run.sh --report    and writes tests/mutants/REPORT.md
#
# It works on copies in a throw-away package, which holds the lease and what it imports, and nothing to wait for.
# $CARGO_MUTANTS or the PATH may hold the tool; where neither does, it is built into target/tools. JOBS is 2.
set -eu

VERSION=27.1.0
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# The tool.
tool=${CARGO_MUTANTS:-}
[ -n "$tool" ] || tool=$(command -v cargo-mutants || true)
if [ -z "$tool" ]; then
    tool=$root/target/tools/bin/cargo-mutants
    [ -x "$tool" ] || cargo install cargo-mutants --version "$VERSION" --locked --root "$root/target/tools"
fi
version=$("$tool" mutants --version | cut -d' ' -f2)
[ "$version" = "$VERSION" ] || echo "cargo-mutants is $version, the report was made with $VERSION" >&2

"$here/package.sh" "$work"
cd "$work"
# Without the network where everything is there already.
if cargo fetch --offline >/dev/null 2>&1; then
    CARGO_NET_OFFLINE=true
    export CARGO_NET_OFFLINE
fi

begun=$(date +%s)
code=0
CARGO_PROFILE_DEV_DEBUG=false CARGO_MUTANTS_JOBS=${JOBS:-2} "$tool" mutants --dir "$work" --output "$work" --file 'src/lease/*.rs' \
    --no-shuffle --colors never || code=$?
seconds=$(($(date +%s) - begun))
out=$work/mutants.out
# 0 all caught, 2 some missed, 3 some timed out; every other code means that it did not come to the mutants.
case $code in 0 | 2 | 3) ;; *) exit "$code" ;; esac
count() { wc -l <"$out/$1.txt" | tr -d ' '; }
caught=$(count caught) missed=$(count missed) unviable=$(count unviable) timeout=$(count timeout)
echo "caught $caught, missed $missed, unviable $unviable, timed out $timeout, in $seconds s"

if [ "${1:-}" = --report ]; then
    commit=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
    digest=$(cat "$root"/src/lease/*.rs | sha256sum | cut -c1-16)
    {
        printf '# Mutants of src/lease\n\n'
        printf 'Made by `tests/mutants/run.sh --report`; not edited by hand.\n\n'
        printf '| what | |\n|---|---|\n'
        printf '| date | %s |\n' "$(date -u +%F)"
        printf '| commit | %s |\n' "$commit"
        printf '| SHA-256 of `src/lease/*.rs`, its beginning | %s |\n' "$digest"
        printf '| cargo-mutants | %s |\n| rustc | %s |\n' "$version" "$(rustc --version | cut -d' ' -f2)"
        printf '| caught | %s |\n| **missed** | **%s** |\n' "$caught" "$missed"
        printf '| timed out | %s |\n| unviable: they do not compile | %s |\n' "$timeout" "$unviable"
        printf '| seconds, %s at a time | %s |\n' "${JOBS:-2}" "$seconds"
        for left in missed timeout; do
            [ ! -s "$out/$left.txt" ] || { printf '\n## %s\n\n' "$left" && sed 's/^/- /' "$out/$left.txt"; }
        done
    } >"$here/REPORT.md"
fi
[ "$missed" -eq 0 ] && [ "$timeout" -eq 0 ]
