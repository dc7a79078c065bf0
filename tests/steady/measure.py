"""Runs the measurements of run.sh and prints their table."""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data/models/graph-console-tf1-ppo-discrete10-front"
BUNDLED = ROOT / "models/line-follower"
SIZES = {"640x480": [], "160x120": ["--set", "camera.width=160", "--set", "camera.height=120"]}
RATE = 30
# A gap like the one that the kernel makes for others under SCHED_FIFO.
GAP_MS = 30


class Bench:
    """The program, and where its files lie."""

    def __init__(self, binary, folder):
        self.folder = folder
        # A copy: only files that nobody else has open can be put out of the page cache.
        self.binary = folder / "hairpin"
        shutil.copy(binary, self.binary)

    def run(self, *arguments, fifo=False, makes=None):
        """Runs a command, which succeeds or at least makes a file; its answer, and what it used: wall s, CPU s, most memory in MB."""
        command = (["chrt", "-f", "50"] if fifo else []) + [str(self.binary), *map(str, arguments)]
        begun = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as words:
            child = subprocess.Popen(command, stdout=out, stderr=words, cwd=self.folder, stdin=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.monotonic() - begun
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            words.seek(0)
            if child.returncode and not (makes and makes.is_file()):
                sys.exit(f"steady: {' '.join(command)} ended with {child.returncode}: {words.read().decode()}")
            return out.read().decode(), (wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

    def json(self, *arguments, fifo=False):
        return json.loads(self.run(*arguments, "--json", fifo=fifo)[0])


@contextlib.contextmanager
def busy(count):
    """So many processes beside it that want all of a core."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        if loops:
            time.sleep(0.5)
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def may_be_realtime():
    return bool(shutil.which("chrt")) and subprocess.run(["chrt", "-f", "50", "true"], capture_output=True).returncode == 0


def quantile(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def prepare(bench, wanted):
    """The model's folder and what to call it."""
    if wanted:
        return Path(wanted).resolve(), Path(wanted).name
    if SHARED.is_dir():
        bench.run("import", SHARED, "--name", "shallow")
        return bench.folder / "models/shallow", "SHALLOW, one camera"
    return BUNDLED, "the bundled line follower, which is much smaller than SHALLOW"


def tapes(bench, model, seconds):
    made = {}
    for size, settings in SIZES.items():
        made[size] = bench.folder / f"{size}.mcap"
        drive = ("run", "--rig", "sim", "--model", model, "--record", made[size], "--seconds", seconds, *settings)
        # A drive without a whole lap is a failure to the program, and a tape to us.
        bench.run(*drive, makes=made[size])
    return made


def load_and_priority(realtime):
    for loops in (0, 2):
        for fifo in (False, True) if realtime else (False,):
            yield loops, fifo, f"{loops} busy loops, {'SCHED_FIFO 50' if fifo else 'ordinary'}"


def whole_step(bench, model, made, frames, realtime, rows):
    for size, tape in made.items():
        for loops, fifo, label in load_and_priority(realtime):
            with busy(loops):
                answer = bench.json("bench", "--model", model, "--tape", tape, "--ticks", frames, fifo=fifo)
            whole = answer["latency"]["whole"]
            note = "held back by the kernel" if fifo and whole["max_ms"] > GAP_MS else ""
            rows.append((f"whole step, {size}", label, answer["ticks"], *(whole[k] for k in KEYS), note))


KEYS = ("p50_ms", "p99_ms", "p99_9_ms", "max_ms")


def inference(bench, model, frames, realtime, rows):
    for loops, fifo, label in load_and_priority(realtime):
        times, scores = {1: [], 2: []}, {1: set(), 2: set()}
        with busy(loops):
            for turn in range(5):
                for threads in (1, 2):
                    file = bench.folder / "scores.npy"
                    answer = bench.json(
                        "bench", "--model", model, "--only", "infer", "--ticks", max(frames // 5, 100), "--scores", file,
                        "--set", f"policy.threads={threads}", fifo=fifo,
                    )
                    times[threads] += [ns / 1e6 for ns in answer["infer"]["wall_ns"]]
                    scores[threads].add(file.read_bytes())
        if len(scores[1] | scores[2]) != 1:
            sys.exit("steady: one and two threads give different scores")
        for threads, all_times in times.items():
            figures = [quantile(all_times, share) for share in (0.5, 0.99, 0.999, 1)]
            note = "held back by the kernel" if fifo and figures[3] > GAP_MS else ""
            rows.append((f"infer, {threads} thread{'s' * (threads > 1)}", label, len(all_times), *figures, note))


def forget(paths):
    """Puts files out of the page cache."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def start(bench, model, tape, turns):
    """Wall and CPU time of a replay of one frame, in seconds, warm and cold."""
    kept = {}
    for state in ("warm", "cold"):
        used = []
        for _ in range(turns):
            if state == "cold":
                forget([bench.binary, *(file for file in model.iterdir() if file.is_file())])
            used.append(bench.run("replay", tape, "--model", model, "--ticks", 1)[1])
        kept[state] = [statistics.median(column) for column in list(zip(*used))[:2]]
    return kept


def show(rows):
    head = ("what", "beside it", "n", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "")
    text = [head] + [
        (what, label, str(count), *(f"{value:.3f}" for value in values), note) for what, label, count, *values, note in rows
    ]
    widths = [max(map(len, column)) for column in zip(*text)]
    for line in text:
        print("  ".join(cell.ljust(w) if at < 2 or at > 6 else cell.rjust(w) for at, (cell, w) in enumerate(zip(line, widths))).rstrip())


def main():
    parser = argparse.ArgumentParser(prog="tests/steady/run.sh")
    parser.add_argument("binary", type=Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--frames", type=int)
    parser.add_argument("--model")
    parser.add_argument("--keep", type=Path, help="a new folder for the tapes, which is not removed")
    args = parser.parse_args()
    frames = args.frames or (2_000 if args.short else 100_000)
    with contextlib.ExitStack() as stack:
        if args.keep:
            args.keep.mkdir(parents=True)
            folder = args.keep.resolve()
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(args.binary.resolve(), folder)
        model, name = prepare(bench, args.model)
        realtime = may_be_realtime()
        print(f"{name}; load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        if not realtime:
            print("no right to SCHED_FIFO here: those rows are left out")
        made = tapes(bench, model, 10 if args.short else 60)
        # The quick things first, while the machine is as it was found.
        begun = start(bench, model, made["160x120"], 3 if args.short else 11)
        rates, held = {}, 0.0
        for size, tape in made.items():
            answers = []
            for _ in range(3):
                text, (_, _, memory) = bench.run("replay", tape, "--model", model, "--json")
                answers.append(json.loads(text)["ticks_per_second"])
                held = max(held, memory)
            rates[size] = max(answers)
        rows = []
        inference(bench, model, max(frames // 10, 500), realtime, rows)
        whole_step(bench, model, made, frames, realtime, rows)
    show(rows)
    for size, rate in rates.items():
        print(f"replay of {size}: {rate:.0f} frames/s, {rate / RATE:.0f} times real time at {RATE} frames/s (best of 3)")
    for state, (wall, cpu) in begun.items():
        print(f"start to the end of one frame's replay, {state}: {wall * 1e3:.0f} ms, {cpu * 1e3:.0f} ms of CPU time (medians)")
    print(f"most memory of replay: {held:.0f} MB")
    checks = [("memory", held <= 120)]
    if not args.short:
        checks += [("replay", rates["160x120"] >= 50 * RATE), ("start", begun["warm"][0] <= 0.5 and begun["cold"][0] <= 0.5)]
    failed = [what for what, fine in checks if not fine]
    print(f"out of bounds: {', '.join(failed)}" if failed else "within all bounds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
