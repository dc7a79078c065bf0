#!/usr/bin/env bash
# Reads what a binary wants from the system it runs on, and judges it.
#
#   deploy/check-portable.sh BINARY [NEWEST_GLIBC, default 2.23]
#
# Portable: an ELF program for the expected loader that needs only the C library's own parts, no symbol version above
# NEWEST_GLIBC, no library search path of its own; or one that needs nothing at all. Never runs the binary.
# Exit: 0 portable, 1 not, 2 usage or not an ELF program, 3 static glibc: starts everywhere, but aborts at the first
# host or user name that a loadable name service answers, so it must not drive.
set -euo pipefail
export LC_ALL=C

binary=${1:-} newest=${2:-2.23}
[[ -f $binary ]] || { echo "check-portable.sh: no file '$binary'; usage: check-portable.sh BINARY [GLIBC]" >&2; exit 2; }
command -v readelf >/dev/null || { echo "check-portable.sh: readelf is not installed (binutils)" >&2; exit 2; }
header=$(readelf -hW "$binary" 2>/dev/null) || { echo "check-portable.sh: $binary is not an ELF file" >&2; exit 2; }

field() { sed -n "s/^ *$1: *//p" <<<"$header"; }
dynamic=$(readelf -dW "$binary" 2>/dev/null)
loader=$(readelf -lW "$binary" 2>/dev/null | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | sort)
paths=$(sed -n 's/.*(\(RPATH\|RUNPATH\)).*\[\(.*\)\]/\1 \2/p' <<<"$dynamic")
versions=$(readelf -VW "$binary" 2>/dev/null | sed -n 's/.*Name: \([A-Z_]*[0-9A-Za-z_.]*\) .*/\1/p' | sort -uV)
highest=$(sed -n 's/^GLIBC_\([0-9.]*\)$/\1/p' <<<"$versions" | sort -V | tail -1)
odd=$(grep -vE '^(GLIBC_[0-9.]+)?$' <<<"$versions" || true)

bad=0
row() { # what, what was seen, the complaint or nothing
    printf '%-12s %-44s %s\n' "$1" "${2:-none}" "${3:-ok}"
    if [[ -n ${3:-} ]]; then bad=1; fi
}

kind=$(field Type)
case $kind in
    DYN*Position-Independent* | EXEC*) row "type" "$kind" ;;
    *) row "type" "$kind" "not a program" ;;
esac
machine=$(field Machine)
case $machine in
    *X86-64) row "machine" "$machine" && want=/lib64/ld-linux-x86-64.so.2 ;;
    AArch64) row "machine" "$machine" && want=/lib/ld-linux-aarch64.so.1 ;;
    *) row "machine" "$machine" "neither x86-64 nor aarch64" && want=$loader ;;
esac

if [[ -z $loader && -z $needed ]]; then
    row "needs" ""
    # glibc's start-up code reads this variable, so its name is in every static glibc program, stripped or not.
    if grep -aq GLIBC_TUNABLES "$binary"; then
        row "C library" "glibc, static" "aborts at name look-ups"
        exit 3
    fi
else
    case $loader in
        "$want") row "loader" "$loader" ;;
        *) row "loader" "$loader" "wanted $want" ;;
    esac
    for library in $needed; do
        case $library in
            libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | librt.so.1 | libutil.so.1 | ld-linux-*.so.*)
                row "needs" "$library" ;;
            *) row "needs" "$library" "not part of the C library" ;;
        esac
    done
    case $(printf '%s\n' "${highest:-none}" "$newest" | sort -V | tail -1) in
        "$newest") row "glibc" "at least $highest" ;;
        *) row "glibc" "${highest:+at least $highest}" "wanted at most $newest" ;;
    esac
    if [[ -n $odd ]]; then row "symbols" "$(xargs <<<"$odd")" "not the C library's"; fi
fi
case $paths in
    "") row "search path" "" ;;
    *) row "search path" "$(xargs <<<"$paths")" "must have none" ;;
esac

if ((bad != 0)); then echo "not portable: $binary"; exit 1; fi
echo "portable: $binary"
