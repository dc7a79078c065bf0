#!/usr/bin/env bash
# What deploy/release.sh packs: complete, the same each time, and refused where it must be.
#
#   tests/release/run.sh [BINARY]       default: what deploy/build-portable.sh built
#
# Works in temporary folders; the checkout may have changes. Needs python3 (3.11) and the package index for the pinned
# schema (deploy/tools.txt). One line a check. Exit: 0 all true, 1 not, 2 usage, 3 the schema cannot be had.
set -euo pipefail
export LC_ALL=C

(($# <= 1)) || { echo "usage: tests/release/run.sh [BINARY]" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
binary=$(realpath -m "${1:-${CARGO_TARGET_DIR:-$root/target}/x86_64-unknown-linux-gnu/release/hairpin}")
fail() { echo "release FAILED: $*" >&2; exit 1; }
[[ -x $binary ]] || fail "no program at $binary; deploy/build-portable.sh builds one"
case $(readelf -hW "$binary" | sed -n 's/^ *Machine: *//p') in
    AArch64) arch=aarch64 ;;
    *) arch=x86_64 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
pack=(deploy/release.sh --dirty --target "$arch" --binary "$binary")

# Packed twice, under other circumstances.
"${pack[@]}" "$work/one"
(umask 077; TZ=Asia/Tokyo "${pack[@]}" "$work/two" >"$work/log") || { cat "$work/log" >&2; fail "the second time"; }
deploy/release.sh --compare "$work/one" "$work/two"

# The archive.
archive=$(echo "$work"/one/*.tar.gz)
name=$(basename "$archive" .tar.gz)
mkdir "$work/unpacked"
tar -xzf "$archive" -C "$work/unpacked"
folder=$work/unpacked/$name
wanted="60-hairpin.rules CHANGELOG.md LICENSE README.md SAFETY.md THIRD-PARTY-LICENCES.txt hairpin hairpin.service hairpin.toml install.sh models settle.sh"
held=$(find "$folder" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)
[[ $held == "$wanted" ]] || fail "the archive holds $held; wanted $wanted"
cmp "$binary" "$folder/hairpin" || fail "another program in the archive"
diff -r models/line-follower "$folder/models/line-follower" || fail "another model in the archive"
[[ -z $(tar -tvzf "$archive" --numeric-owner | awk '$2 != "0/0" || $1 !~ /^[-d]/') ]] || fail "an owner or a link in the archive"
[[ -x $folder/hairpin && -x $folder/install.sh ]] || fail "a program in the archive cannot be started"
echo "archive    $(find "$folder" -type f | wc -l) files, $(du -sb "$folder" | cut -f1) bytes unpacked"

# Controls: what must be noticed.
bill=$work/one/$name.cdx.json
refused() { # WHAT, then a command that must fail with 1
    local what=$1 rc=0
    shift
    "$@" >"$work/log" 2>&1 || rc=$?
    ((rc == 1)) || { cat "$work/log" >&2; fail "$what: wanted exit code 1, saw $rc"; }
    echo "noticed    $what: $(sed -n '$s/^[a-z_-]*\.[a-z]*: //p' "$work/log" | sed "s|$work/||g" | cut -c1-110)"
}
edit() { python3 -B -c "import json,sys; d=json.load(open(sys.argv[1])); $1; json.dump(d, open(sys.argv[2],'w'))" "$bill" "$work/bill"; }
edit 'd["components"]=[c for c in d["components"] if c["name"]!="tract-core"]'
refused "a crate that is not on the bill" deploy/sbom_check.py "$work/bill" "$binary"
edit 'd["components"][0]["type"]="crate"'
refused "a bill that is not CycloneDX" deploy/sbom_check.py "$work/bill" "$binary"
edit 'd["components"][0]["licenses"]=[{"expression":"Free-As-Beer"}]'
refused "a licence that nobody knows" deploy/sbom_check.py "$work/bill" "$binary"
cp "$binary" "$work/touched"
echo >>"$work/touched"
refused "a bill of another program" deploy/sbom_check.py "$bill" "$work/touched"
printf 'built in %s/src/main.rs' "$root" >>"$work/touched"
refused "a program that names this machine's folders" deploy/release.sh --dirty --target "$arch" --binary "$work/touched" "$work/three"
refused "a program for another processor" deploy/release.sh --dirty --target "$([[ $arch == x86_64 ]] && echo aarch64 || echo x86_64)" --binary "$binary" "$work/three"
refused "a version that is not Cargo.toml's" "${pack[@]}" v99.0.0 "$work/three"
git clone --quiet --shared "$root" "$work/clone"
echo >>"$work/clone/LICENSE"
refused "a checkout with changes" "$work/clone/deploy/release.sh" --binary "$binary" "$work/three"
cp -r "$work/one" "$work/three"
echo >>"$work/three/$name.cdx.json"
refused "a file that is not its digest's" deploy/release.sh --compare "$work/one" "$work/three"
python3 -B - <<'PYTHON' || fail "a crate without any licence text goes through"
import pathlib, sys, tempfile
sys.path.insert(0, "deploy")
import licences, sbom_parts
empty = pathlib.Path(tempfile.mkdtemp())
part = sbom_parts.Part("crate", "x", "1", "BSL-1.0", "registry", None, ["A. Nother"], empty, [], [])
assert licences.own_texts(part) == licences.standard_text(part) == [], "BSL-1.0"
(_, text), = licences.standard_text(part._replace(licence="Zlib OR MIT"))
assert "Copyright (c) A. Nother" in text, text
assert licences.standard_text(part._replace(licence="MIT AND IJG")) == [], "one of two that both hold"
empty.rmdir()
PYTHON
echo "noticed    a crate without a licence text that can be had"
echo "proved     in $SECONDS s"
