"""Two decision files of the same tape: which of their values are equal as bits, and how far the scores are apart.

    compare.py ONE.jsonl OTHER.jsonl TOLERANCE

Everything but the network's scores must be equal as bits; scores (f32, as hexadecimal bits) may differ by TOLERANCE.
Prints one line. Exit: 0 so, 1 not: the first difference is on stderr.
"""

import json
import struct
import sys


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def number(bits):
    return struct.unpack(">f", bytes.fromhex(bits))[0]


def main(one, other, tolerance):
    ours, theirs = lines(one), lines(other)
    if not ours or len(ours) != len(theirs):
        sys.exit(f"{len(ours)} decisions and {len(theirs)}")
    scores = unequal = bits = 0
    largest = 0.0
    for a, b in zip(ours, theirs):
        for field in sorted(a.keys() | b.keys()):
            if field != "scores" and a.get(field) != b.get(field):
                sys.exit(f"tick {a.get('tick')}: {field} is {a.get(field)} and {b.get(field)}")
        if len(a["scores"]) != len(b["scores"]):
            sys.exit(f"tick {a['tick']}: {len(a['scores'])} scores and {len(b['scores'])}")
        for x, y in zip(a["scores"], b["scores"]):
            scores += 1
            unequal += x != y
            bits += (int(x, 16) ^ int(y, 16)).bit_count()
            largest = max(largest, abs(number(x) - number(y)))
            if not abs(number(x) - number(y)) <= tolerance:
                sys.exit(f"tick {a['tick']}: scores {number(x)} and {number(y)} are further apart than {tolerance}")
    print(f"{len(ours)} decisions: all but the scores equal as bits; of {scores} scores {unequal} differ, in {bits} bits, "
          f"by {largest:.1e} at most")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
