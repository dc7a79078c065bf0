"""Takes the pictures out of a tape, for the emulated car's camera.

    frames.py TAPE.mcap PACK [COUNT]

Reads the MCAP container and the one field of foxglove.CompressedImage that matters with nothing but the standard
library, since no package may be wanted inside a test. Writes the first COUNT frames (all without it), each behind its
length as 32 bits little-endian. Refuses compressed chunks, fewer frames than asked for, and two equal frames in a row,
also from the last to the first: the governor would take them for a frozen camera.
"""

import struct
import sys

MAGIC = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK = 0x03, 0x04, 0x05, 0x06


def records(data):
    """Opcode and content of each record in a row of them."""
    at = 0
    while at + 9 <= len(data):
        length = struct.unpack_from("<Q", data, at + 1)[0]
        yield data[at], data[at + 9 : at + 9 + length]
        at += 9 + length


def text(data, at):
    """A string behind its length, and where it ends."""
    length = struct.unpack_from("<I", data, at)[0]
    return data[at + 4 : at + 4 + length].decode(), at + 4 + length


def flat(data):
    """The records of a file, with those of its chunks in their place."""
    for op, content in records(data):
        if op != CHUNK:
            yield op, content
            continue
        compression, at = text(content, 28)
        if compression:
            sys.exit(f"frames.py: a chunk is compressed with {compression!r}, wanted none")
        length = struct.unpack_from("<Q", content, at)[0]
        yield from records(content[at + 8 : at + 8 + length])


def varint(data, at):
    """A protobuf number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def bytes_field(message, wanted):
    """The last bytes field of that number in a protobuf message."""
    at, found = 0, b""
    while at < len(message):
        tag, at = varint(message, at)
        kind = tag & 7
        if kind == 0:
            _, at = varint(message, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            length, at = varint(message, at)
            if tag >> 3 == wanted:
                found = message[at : at + length]
            at += length
        else:
            sys.exit(f"frames.py: wire type {kind} in a picture")
    return found


def pictures(data):
    """The JPEGs of all picture channels, in the file's order."""
    if not data.startswith(MAGIC):
        sys.exit("frames.py: no MCAP file")
    schemas, image_channels = {}, set()
    for op, content in flat(data[len(MAGIC) : -len(MAGIC)]):
        if op == SCHEMA:
            schemas[struct.unpack_from("<H", content)[0]] = text(content, 2)[0]
        elif op == CHANNEL:
            channel, schema = struct.unpack_from("<HH", content)
            if schemas.get(schema) == "foxglove.CompressedImage":
                image_channels.add(channel)
        elif op == MESSAGE and struct.unpack_from("<H", content)[0] in image_channels:
            # channel u16, sequence u32, log time u64, publish time u64; field 2 of the schema is the data.
            yield bytes_field(content[22:], 2)


def main(tape, pack, count=None):
    with open(tape, "rb") as file:
        frames = list(pictures(file.read()))
    wanted = int(count) if count else len(frames)
    frames = frames[:wanted]
    if not frames or len(frames) < wanted:
        sys.exit(f"frames.py: {tape} has {len(frames)} frames, wanted {wanted}")
    for index, frame in enumerate(frames):
        if not frame.startswith(b"\xff\xd8\xff") or frame == frames[index - 1]:
            sys.exit(f"frames.py: frame {index} is no JPEG, or equals the one before it")
    with open(pack, "wb") as file:
        for frame in frames:
            file.write(struct.pack("<I", len(frame)) + frame)
    print(f"{len(frames)} frames, {sum(map(len, frames))} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
