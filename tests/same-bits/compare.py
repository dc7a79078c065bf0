"""Counts the bits in which the scores of two runs differ, apart from hairpin's own comparison. Needs Python alone.

    compare.py ONE OTHER           decisions (.jsonl) or scores (.npy); OTHER may be a beginning of ONE
    compare.py --flip ONE OTHER    writes ONE (.jsonl) to OTHER with the lowest bit of its last score turned over

Prints: frames with scores, differing bits of them, fields beside them that differ. Ends with 1 where there is nothing to
compare.
"""

import itertools
import json
import math
import re
import sys


def decisions(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def distance(ours, theirs):
    """Differing bits of two lists of words in hexadecimal; a word without a partner differs in all of its 32."""
    pairs = itertools.zip_longest(ours, theirs)
    return sum(32 if None in pair else (int(pair[0], 16) ^ int(pair[1], 16)).bit_count() for pair in pairs)


def lines(one, other):
    frames = bits = beside = 0
    ours, theirs = decisions(one), decisions(other)
    for b in theirs:
        a = next(ours, {})
        frames += bool(b["scores"])
        bits += distance(a.get("scores") or [], b["scores"] or [])
        beside += sum(a.get(key) != b.get(key) for key in (a.keys() | b.keys()) - {"scores"})
    return frames, bits, beside


def array(path):
    """The shape and the bytes of a NumPy file of version 1."""
    with open(path, "rb") as file:
        content = file.read()
    start = 10 + int.from_bytes(content[8:10], "little")
    shape = re.search(rb"'shape': \(([0-9, ]*)\)", content[10:start])[1]
    return [int(size) for size in shape.split(b",") if size.strip()], content[start:]


def scores(one, other):
    (shape, ours), (again, theirs) = array(one), array(other)
    if shape != again or 4 * math.prod(shape) != len(theirs):
        return again[0], 8 * max(len(ours), len(theirs)), 1
    return shape[0], (int.from_bytes(ours, "little") ^ int.from_bytes(theirs, "little")).bit_count(), 0


def flip(one, other):
    all_of_them = list(decisions(one))
    last = [line for line in all_of_them if line["scores"]][-1]["scores"]
    last[-1] = f"{int(last[-1], 16) ^ 1:08x}"
    with open(other, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in all_of_them)


if __name__ == "__main__":
    if sys.argv[1] == "--flip":
        flip(*sys.argv[2:])
    else:
        counted = (scores if sys.argv[1].endswith(".npy") else lines)(*sys.argv[1:])
        print(*counted)
        sys.exit(counted[0] == 0)
