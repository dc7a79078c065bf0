"""Writes the pictures of a tape as 0000.jpg, 0001.jpg and so on: what lies between the JPEG markers of an uncompressed
MCAP file. Refuses a tape in which it finds none."""

import pathlib
import re
import sys

tape, folder = pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2])
pictures = re.findall(rb"\xff\xd8\xff[\xe0\xdb].*?\xff\xd9", tape, re.DOTALL)
if not pictures:
    sys.exit(f"no picture in {sys.argv[1]}")
# Duplicates are what the tape's frozen camera sent, small ones what its covered lens saw.
seen = set()
for picture in pictures:
    if picture not in seen and len(picture) > 10_000:
        seen.add(picture)
        (folder / f"{len(seen) - 1:04}.jpg").write_bytes(picture)
