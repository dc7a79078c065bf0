#!/bin/sh
# Settles which binary drives, before the service starts it. The unit runs it as root before every start.
#
#   /opt/hairpin/settle [ROOT]        ROOT: a prefix of all paths, for tests
#
# `hairpin update` leaves /opt/hairpin/trial while a new binary has not proved itself:
#   from=a      the slot that drove before
#   to=b        the slot on trial
#   tries=0     starts so far
# The first start of a trial counts, and goes on with the new binary. At the next one the trial is still there, so the
# new one was started and nobody confirmed it: `current` goes back to `from`, and the trial ends. A trial that `current`
# does not point to ends as well. A `current` that leads nowhere is pointed at a slot that holds a program.
#
# Every change is written beside, synced and renamed, so a power cut at any moment leaves a state that this script
# settles at the next start. Plain POSIX. Says on stderr what it did. Exit: always 0, it never keeps the car from starting.

root=${1:-}
home=${root%/}/opt/hairpin
trial=$home/trial
current=$home/current

say() { echo "hairpin settle: $*" >&2; }
entry() { sed -n "s/^$1=//p" "$trial" 2>/dev/null | head -n 1; } # the value of a line of the trial
slot() { case $1 in a | b) true ;; *) false ;; esac; }
program() { slot "$1" && [ -f "$home/$1/hairpin" ] && [ -s "$home/$1/hairpin" ] && [ -x "$home/$1/hairpin" ]; }
flush() { sync "$@" 2>/dev/null || sync; } # some know only the whole disk

point() { # current -> the slot, in one step where mv can
    rm -f "$home/.current.new"
    ln -s "$1" "$home/.current.new" || return 1
    mv -f -T "$home/.current.new" "$current" 2>/dev/null && { flush "$home"; return 0; }
    # A mv that cannot take a link for a file would move into the slot.
    rm -rf "$current" && mv -f "$home/.current.new" "$current" && flush "$home"
}

end_trial() {
    rm -f "$trial"
    flush "$home"
}

mend() { # a current that runs, whatever was found
    now=$(readlink "$current" 2>/dev/null)
    now=${now%/}
    program "${now##*/}" && [ -x "$current/hairpin" ] && return
    for name in "$@" a b; do
        if program "$name"; then
            say "current led to '${now:-nothing}', which holds no program; now it is $name"
            point "$name" || say "cannot point $current at $name"
            return
        fi
    done
    say "no slot under $home holds a program; deploy/install.sh puts one there"
}

settle() {
    if [ ! -e "$trial" ] && [ ! -L "$trial" ]; then
        mend
        return
    fi
    from=$(entry from)
    to=$(entry to)
    tries=$(entry tries)
    now=$(readlink "$current" 2>/dev/null)
    now=${now%/}
    now=${now##*/}
    if program "$now" && [ "$now" != "$to" ]; then
        say "the trial was of '$to', and $now is the one that drives; the trial ends"
        end_trial
    elif [ "$tries" = 0 ] && program "$to" && [ "$now" = "$to" ]; then
        if printf 'from=%s\nto=%s\ntries=1\n' "$from" "$to" >"$trial.new" && flush "$trial.new" &&
            mv -f "$trial.new" "$trial" && flush "$home"; then
            say "first start of $to"
        else
            # What cannot be counted is not tried: it would be tried for ever.
            say "cannot count the first start of $to; back to $from"
            if program "$from"; then point "$from" && end_trial; fi
        fi
    elif program "$from"; then
        say "$to did not come up; back to $from"
        # In this order: a cut between the two finds a trial that current does not point to.
        point "$from" && end_trial
    else
        say "$to did not come up, and '$from' holds no program to go back to; the trial ends"
        end_trial
    fi
    mend "$from"
}

settle
exit 0
