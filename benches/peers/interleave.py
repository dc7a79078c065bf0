"""One interleaved run of all engines on the same networks and frames, and its table. Called by run.sh.

Per network: every engine starts, its scores are compared with ONNX Runtime's f32, it is sampled for instructions that
the limit forbids, and then all are measured in turn, round by round; each round begins one further down the list.
Writes results.json. Fails where an f32 engine is further than TOLERANCE from the reference, or a limit did not hold.
"""

import argparse
import json
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

import numpy as np

from contestants import ENGINES, HAIRPIN, Absent, Engine, Hairpin
from topology import NETWORKS

HERE = pathlib.Path(__file__).parent
TOLERANCE = 1e-4
YARDSTICK = ("OpenVINO 2021.4 f32", "sse4.2")
REFERENCE = "ONNX Runtime f32"


def arguments():
    parser = argparse.ArgumentParser(prog="benches/peers/run.sh", description="Measures hairpin beside other engines.")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    parser.add_argument("--inferences", type=int, default=150, help="of each engine in each round, default %(default)s")
    parser.add_argument("--networks", default=",".join(NETWORKS), help="default %(default)s")
    parser.add_argument("--engines", help="only those whose titles contain one of these words, like openvino,hairpin")
    parser.add_argument("--limit", choices=["sse4.2", "native", "both"], default="both", help="default %(default)s")
    parser.add_argument("--hairpin", help="the program; default: the release build of this repository")
    parser.add_argument("--control", action="store_true", help="also compare, bit by bit, with each engine on a CPU "
                        "without AVX that qemu-x86_64-static emulates; minutes per engine")
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.control:
        args.control = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
        if args.control is None:
            parser.error("--control wants qemu-x86_64-static (Debian: qemu-user-static)")
    args.networks = args.networks.split(",")
    for name in args.networks:
        if name not in NETWORKS:
            parser.error(f"unknown network {name}, wanted some of {', '.join(NETWORKS)}")
    args.limits = ["sse4.2", "native"] if args.limit == "both" else [args.limit]
    args.titles = [title for title in [*ENGINES, *HAIRPIN]
                   if not args.engines or any(word in title.lower() for word in args.engines.lower().split(","))]
    if args.hairpin is None:
        args.hairpin = next((path for path in (args.work.parent / "release" / "hairpin",
                                               args.work.parent / "x86_64-unknown-linux-gnu" / "release" / "hairpin")
                             if path.is_file()), None)
    return args


def prepare(args):
    """The networks, in every form that an engine wants; what is there and up to date stays."""
    models = args.work / "models"
    folders = [models / name for name in args.networks]
    for environment, script, rest in (
            ("engines", "networks.py", ["--out", models, "--golden", HERE / "../../../shared/data/golden",
                                        "--networks", ",".join(args.networks)]),
            ("engines", "quantize.py", folders),
            ("convert", "tflite.py", folders)):
        done = subprocess.run([args.work / environment / "bin" / "python", HERE / script, *rest],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{script}: {done.stderr.strip()}")
        sys.stderr.write(done.stdout if script == "networks.py" else "")
    return folders


def gather(args, folder):
    """Everybody that can take part, and rows for those that cannot."""
    there, absent = [], []
    for limit in args.limits:
        for title in args.titles:
            try:
                there.append(Engine(title, limit, args.work, folder) if title in ENGINES
                             else Hairpin(title, limit, args.work, folder, args.hairpin))
            except Absent as why:
                absent.append({"network": folder.name, "engine": title, "limit": limit, "absent": str(why)})
    return there, absent


def compare(contestant, reference):
    """Largest difference of a score, and frames whose action changed, of all frames."""
    scores = contestant.scores()
    return {"difference": float(np.abs(scores - reference).max()), "frames": len(scores),
            "changed": int((scores.argmax(axis=1) != reference.argmax(axis=1)).sum())}


def control(contestant, qemu):
    """Whether the limited engine's bits are those of an emulated CPU that has no AVX."""
    if contestant.limit != "sse4.2" or not isinstance(contestant, Engine):
        return {}
    return {"control": bool(np.array_equal(contestant.scores().view(np.uint32),
                                           contestant.control(qemu).view(np.uint32)))}


def measure(args, folder, there):
    """Round by round, everybody in turn; the rows' times."""
    taken = {contestant: [] for contestant in there}
    for index in range(args.rounds):
        first = index * len(there) // args.rounds
        for contestant in there[first:] + there[:first]:
            taken[contestant].append(contestant.round(args.inferences))
        print(f"{folder.name}: round {index + 1} of {args.rounds}", file=sys.stderr)
    medians = {contestant: [statistics.median(cpu) for cpu, _ in rounds] for contestant, rounds in taken.items()}
    yardstick = next((medians[one] for one in there if (one.title, one.limit) == YARDSTICK), None)
    times = {}
    for contestant, rounds in taken.items():
        times[contestant] = {
            "cpu_ms": statistics.median(medians[contestant]) / 1e6,
            "cpu_ms_rounds": [median / 1e6 for median in medians[contestant]],
            # Not the least of all: a clock of a virtual machine now and then says 0.
            "cpu_ms_fast": float(np.percentile([time for cpu, _ in rounds for time in cpu], 5)) / 1e6,
            "wall_ms": statistics.median(statistics.median(wall) for _, wall in rounds) / 1e6,
            "ratio": yardstick and statistics.median(
                mine / theirs for mine, theirs in zip(medians[contestant], yardstick)),
        }
    return times


def one_network(args, folder):
    there, rows = gather(args, folder)
    try:
        plain = Engine(REFERENCE, "native", args.work, folder)
        reference = plain.scores()
        plain.close()
        facts = {}
        for contestant in there:
            facts[contestant] = {"network": folder.name, "engine": contestant.title, "limit": contestant.limit,
                                 "version": contestant.version, **compare(contestant, reference)}
            facts[contestant].update(zip(("sampled", "extended"), contestant.sample()))
            if args.control:
                facts[contestant].update(control(contestant, args.control))
        for contestant, times in measure(args, folder, there).items():
            facts[contestant].update(times)
    finally:
        for contestant in there:
            contestant.close()
    return [*facts.values(), *rows]


def table(rows):
    """The rows as text, network by network."""
    lines = [f"{'network':8} {'engine':21} {'version':9} {'limit':7} {'CPU ms (p5)':>15} {'wall ms':>8} {'ratio':>6} "
             f"{'difference':>10} {'changed':>8} {'VEX':>10}"]
    for row in rows:
        head = f"{row['network']:8} {row['engine']:21} {row.get('version', '-'):9} {row['limit']:7} "
        if "absent" in row:
            lines.append(head + row["absent"])
            continue
        cpu = f"{row['cpu_ms']:.3f} ({row['cpu_ms_fast']:.3f})"
        ratio = f"{row['ratio']:.3f}" if row["ratio"] else "-"
        changed = f"{row['changed']}/{row['frames']}"
        vex = f"{row['extended']}/{row['sampled']}"
        lines.append(f"{head}{cpu:>15} {row['wall_ms']:8.3f} {ratio:>6} {row['difference']:10.1e} "
                     f"{changed:>8} {vex:>10}"
                     + {True: " =qemu", False: " NOT qemu's bits", None: ""}[row.get("control")])
    return "\n".join(lines)


def complaints(rows):
    """What makes the table worth nothing."""
    for row in rows:
        name = f"{row['network']}, {row['engine']}, {row['limit']}"
        if row["engine"].endswith("f32") and "absent" not in row and row["difference"] > TOLERANCE:
            yield f"{name}: scores are {row['difference']:.1e} from the reference, wanted {TOLERANCE:.0e} at most"
        if row["limit"] == "sse4.2" and row.get("extended", 0) > 0:
            yield f"{name}: {row['extended']} of {row['sampled']} sampled instructions were beyond SSE4.2"
        if row.get("control") is False:
            yield f"{name}: the limited engine's bits are not those of the emulated CPU"


def main():
    args = arguments()
    rows = []
    for folder in prepare(args):
        rows += one_network(args, folder)
    cpu = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.processor())
    result = {"cpu": cpu, "rounds": args.rounds, "inferences": args.inferences, "threads": 1, "rows": rows}
    path = args.work / "results.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{cpu}; one thread; {args.rounds} rounds x {args.inferences} inferences, interleaved; "
          f"ratio to {' '.join(YARDSTICK)}\n{table(rows)}\n{path}")
    wrong = list(complaints(rows))
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
