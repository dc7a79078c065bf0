#!/usr/bin/env bash
# Packs a release for one kind of machine: archive, bill of materials and their digests.
#
#   deploy/release.sh [--target x86_64|aarch64] [--binary FILE] [--dirty] [VERSION] OUT_DIR
#   deploy/release.sh --compare OUT_DIR OUT_DIR
#   deploy/release.sh --notes VERSION
#
#   --binary FILE   what is packed; default: builds it (deploy/build-portable.sh)
#   --dirty         also from a checkout with changes; for trying the packing, never for a release
#   VERSION         refused unless Cargo.toml says the same and CHANGELOG.md has a heading for it; a leading v is fine
#   --compare       two of them hold the same files, byte for byte, and their digests are right
#   --notes         prints what CHANGELOG.md says under that heading
#
# Writes into OUT_DIR, each with a NAME.sha256 beside it as sha256sum writes it:
#   hairpin-VERSION-TRIPLE.tar.gz     a folder of that name: the program, what deploy/install.sh needs, licences
#   hairpin-VERSION-TRIPLE.cdx.json   CycloneDX 1.6: every crate and everything else that is in the program
#
# The same commit gives the same bytes: members sorted, owned by nobody, dated as the commit. What is packed is checked: the
# program for its machine, its version and its paths, the bill against its schema and the program.
# Wants python3 (3.11), GNU tar. Exit: 0 packed, 1 refused, 2 usage, else the code of the step that failed.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
refuse() { echo "release.sh: $*" >&2; exit 1; }
usage() { echo "release.sh: $*; --help says more" >&2; exit 2; }

compare() { # OUT_DIR OUT_DIR
    local sums count
    for folder in "$1" "$2"; do
        (cd "$folder" && cat -- *.sha256 | sha256sum --check --strict --quiet) || refuse "a digest in $folder is wrong, or there is none"
    done
    diff -r "$1" "$2" >&2 || refuse "$1 and $2 differ"
    sums=("$1"/*.sha256) count=$(find "$1" -type f | wc -l)
    ((count == 2 * ${#sums[@]})) || refuse "$1 holds a file without a digest: $count files, ${#sums[@]} digests"
    echo "equal      ${#sums[@]} files and their digests"
}

notes() { # VERSION
    awk -v version="${1#v}" '/^## / { inside = $2 == version || $2 == "v" version; next } inside { print; found = 1 } END { exit !found }' \
        "$root/CHANGELOG.md" || refuse "CHANGELOG.md says nothing under \"## ${1#v}\""
}

arch=x86_64 binary='' dirty=0 words=()
while (($# > 0)); do
    case $1 in
        --target) arch=${2:?--target wants x86_64 or aarch64}; shift ;;
        --binary) binary=$(realpath "${2:?--binary wants a file}"); shift ;;
        --notes) (($# == 2)) || usage "--notes wants a version"; notes "$2"; exit ;;
        --dirty) dirty=1 ;;
        --compare) (($# == 3)) || usage "--compare wants two folders"; compare "$2" "$3"; exit ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
        -*) usage "unknown argument $1" ;;
        *) words+=("$1") ;;
    esac
    shift
done
case $arch in
    x86_64) glibc=2.23 machine=X86-64 ;;
    aarch64) glibc=2.28 machine=AArch64 ;;
    *) usage "--target is x86_64 or aarch64, saw $arch" ;;
esac
case ${#words[@]} in
    1) wanted='' out=${words[0]} ;;
    2) wanted=${words[0]#v} out=${words[1]} ;;
    *) usage "wants [VERSION] OUT_DIR, saw ${#words[@]} words" ;;
esac
triple=$arch-unknown-linux-gnu
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$root"

version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
[[ -z $wanted || $wanted == "$version" ]] || refuse "asked to release $wanted, but Cargo.toml says $version; change one of them"
if [[ -n $wanted ]]; then notes "$wanted" >/dev/null; fi
changes=$(git status --porcelain)
[[ -z $changes || $dirty == 1 ]] || refuse "the checkout has changes, so nobody could build this again: $(sed -n 1p <<<"$changes"); commit them"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

if [[ -z $binary ]]; then
    deploy/build-portable.sh --target "$arch"
    binary=${CARGO_TARGET_DIR:-target}/$triple/release/hairpin
fi
readelf -hW "$binary" | grep -q "Machine:.*$machine" || refuse "$binary is not for $arch"
deploy/check-portable.sh "$binary" "$glibc" >/dev/null || refuse "$binary is not portable: deploy/check-portable.sh says why"
deploy/reproducible.sh --paths "$binary"
if [[ $(uname -m) == "$arch" ]]; then
    said=$("$binary" --version)
    [[ $said == "hairpin $version" ]] || refuse "$binary is \"$said\", not hairpin $version"
fi

name=hairpin-$version-$triple
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/$name
mkdir -p "$folder/models"
install -m 755 "$binary" "$folder/hairpin"
install -m 755 deploy/install.sh "$folder/"
install -m 644 deploy/{hairpin.service,hairpin.toml,60-hairpin.rules,settle.sh} LICENSE README.md SAFETY.md CHANGELOG.md "$folder/"
cp -r models/line-follower "$folder/models/"
deploy/licences.py "$binary" "$triple" >"$folder/THIRD-PARTY-LICENCES.txt"
deploy/sbom.py "$binary" "$triple" >"$out/$name.cdx.json"
deploy/sbom_check.py "$out/$name.cdx.json" "$binary"

tar --create --directory "$work" --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode='u=rwX,go=rX' "$name" | gzip -9 -n >"$out/$name.tar.gz"
for file in "$name.tar.gz" "$name.cdx.json"; do
    (cd "$out" && sha256sum "$file" >"$file.sha256")
    printf '%-10s %s, %d bytes, sha256 %s\n' packed "$file" "$(stat -c %s "$out/$file")" "$(cut -d' ' -f1 "$out/$file.sha256")"
done
