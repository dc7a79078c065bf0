"""Joins NumPy files of network inputs into one, in the form that `hairpin bench --frames` reads. Needs Python alone.

    frames.py CHANNELS OUT MOST FILE...

Inputs are u8, [frames, 120, 160, channels] in C order; frames and a single channel may be left out of the shape. Refuses
files of another kind. MOST limits the frames, 0 does not. Prints their number.
"""

import re
import sys

HEIGHT, WIDTH = 120, 160


def frames(path, channels):
    with open(path, "rb") as file:
        content = file.read()
    start = 10 + int.from_bytes(content[8:10], "little")
    header = content[10:start].decode("latin-1").replace(" ", "")
    shape = [int(size) for size in re.search(r"'shape':\(([0-9,]*)\)", header)[1].split(",") if size]
    tail = [HEIGHT, WIDTH] if channels == 1 and shape[-1] == WIDTH else [HEIGHT, WIDTH, channels]
    if content[:7] != b"\x93NUMPY\x01" or "'|u1'" not in header or "'fortran_order':False" not in header:
        sys.exit(f"{path}: wanted u8 in C order, saw {header.strip()}")
    if shape[-len(tail):] != tail or len(shape) > len(tail) + 1 or len(content) == start:
        sys.exit(f"{path}: wanted {[HEIGHT, WIDTH, channels]}, saw {shape}")
    return content[start:]


def main(channels, out, most, *files):
    channels = int(channels)
    size = HEIGHT * WIDTH * channels
    pixels = b"".join(frames(path, channels) for path in files)
    pixels = pixels[:int(most) * size or None]
    count = len(pixels) // size
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {HEIGHT}, {WIDTH}, {channels}), }}"
    header = header.ljust(117) + "\n"
    with open(out, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + pixels)
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])
