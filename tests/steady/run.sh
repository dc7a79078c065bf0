#!/usr/bin/env bash
# What driving takes, in steady state: one table.
#
#   tests/steady/run.sh BINARY [--short] [--frames N] [--model DIR] [--keep DIR]
#
# BINARY is a release build. The model is a folder that was imported; else the SHALLOW network of the shared test data is
# imported here; else it is the bundled one, and the table says so. Tapes are simulated here, 640x480 and 160x120.
#
#  1 whole step   decode to pulses, p50/p99/p99.9/max over N frames: alone and beside two busy loops, each as an ordinary
#                 process and under SCHED_FIFO 50 (as root, else left out)
#  2 inference    with policy.threads 1 and 2, in alternating rounds, wall time; the scores have the same bits
#  3 replay       frames a second, and how many times real time that is at 30 frames a second
#  4 start        `replay` of one frame, wall and CPU time, its files in the page cache and out of it
#  5 memory       the most that `replay` held (a driving process: `cargo test --release --test faults from_the_start`)
#
# A program that never sleeps is under SCHED_FIFO held back by the kernel for up to 50 ms a second in favour of others; the drive
# loop, which waits for frames, is not. Rows with such gaps say so.
# Exit: 0 within the bounds (1,500 frames/s of 160x120 in replay, 0.5 s to start, 120 MB), 1 not, 2 usage.
# --short: 2,000 frames, and no bound on times: a shared runner is no measure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(($# >= 1)) && [[ -x $1 ]] || { echo "usage: tests/steady/run.sh BINARY [--short] [--frames N] [--model DIR] [--keep DIR]" >&2; exit 2; }
exec python3 "$here/measure.py" "$@"
