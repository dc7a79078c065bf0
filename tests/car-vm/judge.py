"""Judges what the emulated car brought out, from the observer's log alone.

    judge.py OUT BINARY PACK

Prints one line a check, `ok` or `FAILED`, and `figure` lines. Knows the observer's words (drsim.c), the pack of frames
that was fed (frames.py) and, for the drive, what `BINARY replay --expect --decisions` makes of its tape here. Times are
the guest's CLOCK_MONOTONIC. Looks only at what is there: a scenario that was not run is not judged.
Exit: 0 all well, 1 something FAILED.
"""

import json
import pathlib
import struct
import subprocess
import sys

from frames import pictures

GATE, THROTTLE, STEERING = 2, 0, 1
PERIOD_NS, STEPS = 20_000_000, 4096
failed = False


def say(good, scenario, text):
    global failed
    failed |= not good
    print(f"{'ok' if good else 'FAILED'} {scenario:8} {text}")


def figure(scenario, text):
    print(f"figure {scenario:8} {text}")


def step(ns):
    """The chip's 12-bit step, rounded up as the kernel's driver does it (drivers/pwm/pwm-pca9685.c)."""
    return -(-ns * STEPS // PERIOD_NS)


class Log:
    """Pulses, gate changes and marks in the order of their times."""

    def __init__(self, path):
        # Of what is written to the chip, `live` is what it puts out: nothing on a channel that is not enabled.
        self.pulses, self.live, self.gate, self.marks = [], [], [], []
        for line in path.read_text().splitlines():
            words = line.split()
            if words[0] == "lost":
                sys.exit(f"judge.py: {path.name}: the observer had no room for {words[1]} entries")
            at = int(words[0])
            if words[1] == "pwm" and int(words[2]) in (THROTTLE, STEERING):
                pulse = (at, int(words[2]), int(words[3]))
                self.pulses.append(pulse)
                if words[5] == "1" and pulse[2] > 0:
                    self.live.append(pulse)
            elif words[1] == "gpio" and int(words[2]) == GATE and words[3] != "in":
                self.gate.append((at, int(words[3])))
            elif words[1] == "mark":
                self.marks.append((at, words[2:]))

    def mark(self, *wanted):
        return next(at for at, words in self.marks if words == list(wanted))

    def at(self, when):
        """Both channels as they stood at a moment."""
        stood = {}
        for at, channel, ns in self.pulses:
            if at > when:
                break
            stood[channel] = ns
        return stood

    def opened(self, when):
        return next((level == 0 for at, level in reversed(self.gate) if at <= when), False)


def near(ns, neutral):
    """A forced write goes by way of a twin, 1 ns off and the same step of the chip."""
    return abs(ns - neutral) <= 1


def is_neutral(stood, neutral):
    return all(near(stood.get(channel, 0), neutral[channel]) for channel in (THROTTLE, STEERING))


def neutral_from(log, begin, end, neutral):
    """When both channels became neutral for good between two moments; None where they did not."""
    stood, since = log.at(begin), None
    if is_neutral(stood, neutral):
        since = begin
    for at, channel, ns in log.pulses:
        if begin < at <= end:
            stood[channel] = ns
            if not is_neutral(stood, neutral):
                since = None
            elif since is None:
                since = at
    return since


def judge_gate(log, name, neutral):
    """The gate opens over neutral alone, and nothing moves for half a second after that."""
    openings = 0
    last = 1
    for at, level in log.gate:
        if level == 0 and last == 1:
            openings += 1
            if not is_neutral(log.at(at), neutral):
                say(False, name, f"the gate opened over {log.at(at)} at {at} ns")
                return
            later = [moved for moved, channel, ns in log.pulses if moved > at and not near(ns, neutral[channel])]
            if later and later[0] - at < 500_000_000:
                say(False, name, f"moved {(later[0] - at) / 1e6:.1f} ms after the gate opened, wanted 500")
                return
        last = level
    # Power off means that it was shut: no pulse but neutral while it is.
    for at, channel, ns in log.live:
        if not near(ns, neutral[channel]) and not log.opened(at):
            say(False, name, f"channel {channel} had {ns} ns with the gate shut at {at} ns")
            return
    say(True, name, f"the gate opened over neutral alone, {openings} times, and 500 ms before anything moved")


def judge_fault(log, begin, end, words, neutral):
    name, kind, bound = words[1], words[2], int(words[3])
    if is_neutral(log.at(begin), neutral) or not log.opened(begin):
        say(False, "faults", f"{name}: the car was not driving when it was made")
        return
    if kind == "unaffected":
        moves = [at for at, channel, ns in log.pulses if begin < at <= end and not near(ns, neutral[channel])]
        stopped = neutral_from(log, begin, end, neutral)
        say(bool(moves) and stopped is None and log.opened(end), "faults", f"{name}: drove on, {len(moves)} pulses in {(end - begin) / 1e9:.1f} s")
        return
    shut = next((at for at, level in log.gate if begin < at <= end and level == 1), None)
    reached = shut if kind == "gate" else neutral_from(log, begin, end, neutral)
    what = "no power" if kind == "gate" else "neutral"
    if reached is None:
        say(False, "faults", f"{name}: no {what} within {(end - begin) / 1e6:.0f} ms")
        return
    took = (reached - begin) / 1e6
    extra = f", no power after {(shut - begin) / 1e6:.1f} ms" if shut and kind != "gate" else ""
    say(took <= bound, "faults", f"{name}: {what} after {took:.1f} ms (bound {bound}){extra}")


def judge_faults(log, neutral):
    ends = {words[1]: at for at, words in log.marks if words[0] == "end"}
    for at, words in log.marks:
        if words[0] == "fault":
            judge_fault(log, at, ends.get(words[1], at), words, neutral)


def strokes(pulses):
    """What one channel was told, without the twins of forced writes and without repetitions."""
    told = []
    for index, ns in enumerate(pulses):
        after = pulses[index + 1] if index + 1 < len(pulses) else None
        if after is not None and abs(after - ns) == 1 and step(after) == step(ns):
            continue
        if not told or told[-1] != ns:
            told.append(ns)
    return told


def steps_of(values):
    """A sequence as the chip sees it: a pulse of the same step is no change."""
    seen = []
    for ns in values:
        if not seen or seen[-1] != step(ns):
            seen.append(step(ns))
    return seen


def judge_drive(out, binary, log, neutral):
    decided = out / "decisions.jsonl"
    command = [binary, "replay", out / "drive.mcap", "--model", out / "model", "--expect", "--decisions", decided, "--force"]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    first = (run.stdout or run.stderr).strip().splitlines()[:1]
    say(run.returncode == 0 and " 0 differing bits" in run.stdout, "drive", f"replayed on the host: {''.join(first)}")
    if not decided.exists():
        return
    ticks = [json.loads(line) for line in decided.read_text().splitlines()]
    begin, end = log.mark("drive", "begin"), log.mark("drive", "end")
    for channel, name in ((THROTTLE, "throttle"), (STEERING, "steering")):
        seen = strokes([ns for at, which, ns in log.pulses if which == channel and begin <= at <= end])
        wanted = [neutral[channel], *(tick[f"{name}_ns"] for tick in ticks), neutral[channel]]
        same = steps_of(seen) == steps_of(wanted)
        foreign = set(seen) - set(wanted)
        say(same and not foreign, "drive", f"{name}: {len(steps_of(seen))} changes on the chip, the tape has {len(steps_of(wanted))}, in order"
            + (f"; not on the tape: {sorted(foreign)[:5]}" if foreign else ""))
    moved = sum(1 for tick in ticks if tick["throttle_ns"] != neutral[THROTTLE])
    say(moved > 60, "drive", f"{moved} of {len(ticks)} ticks with the motor on, {len({tick['steering_ns'] for tick in ticks})} different steerings")


def judge_record(out, pack):
    fed, data, at = [], pack.read_bytes(), 0
    while at < len(data):
        length = struct.unpack_from("<I", data, at)[0]
        fed.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    taped = list(pictures((out / "record.mcap").read_bytes()))
    # A driver may hand out the rest of its buffer behind the picture.
    which = [next((index for index, frame in enumerate(fed) if picture.startswith(frame)), None) for picture in taped]
    gaps = [(after - before) % len(fed) for before, after in zip(which, which[1:]) if None not in (before, after)]
    say(len(taped) >= 100 and None not in which, "record", f"{len(taped)} MJPEG frames on the tape, each byte for byte one of the {len(fed)} that were fed")
    say(0 not in gaps, "record", f"in the order in which they were fed, {sum(gap - 1 for gap in gaps)} left out")


def main(out, binary, pack):
    out = pathlib.Path(out)
    calibration = json.loads((pathlib.Path(__file__).parent / "guest/calibration.json").read_text())["Calibration"]
    neutral = {THROTTLE: calibration["Motor"]["mid"], STEERING: calibration["Servo"]["mid"]}
    logs = {path.stem: Log(path) for path in sorted(out.glob("*.log")) if path.stem in ("record", "drive", "faults")}
    if "record" in logs:
        judge_record(out, pathlib.Path(pack))
        opened = [level for at, level in logs["record"].gate if level == 0 and at >= logs["record"].mark("record", "begin")]
        say(not opened, "record", "the gate stayed shut")
    if "drive" in logs:
        judge_gate(logs["drive"], "drive", neutral)
        judge_drive(out, binary, logs["drive"], neutral)
    if "faults" in logs:
        judge_gate(logs["faults"], "faults", neutral)
        judge_faults(logs["faults"], neutral)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
