"""Reads a tape with nobody's code but the MCAP project's own, through the schemas that the tape carries.

    python3 -m venv venv && venv/bin/pip install mcap mcap-protobuf-support
    venv/bin/python tests/peers/read_tape.py TAPE.mcap

Prints what is on it; fails where a picture is no JPEG or a message does not decode.
"""

import collections
import struct
import sys

from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory


def main(path):
    counts, shown = collections.Counter(), set()
    with open(path, "rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        for metadata in reader.iter_metadata():
            print(metadata.name, metadata.metadata)
        for schema, channel, message, decoded in reader.iter_decoded_messages():
            counts[(channel.topic, schema.name)] += 1
            if schema.name == "foxglove.CompressedImage":
                assert decoded.format == "jpeg" and decoded.data.startswith(b"\xff\xd8\xff"), message.sequence
                nanos = decoded.timestamp.seconds * 10**9 + decoded.timestamp.nanos
                assert nanos == message.log_time, message.sequence
            elif channel.topic not in shown:
                print(f"{channel.topic} {message.sequence}:\n{decoded}", end="")
                bits = [struct.pack("<f", score).hex() for score in getattr(decoded, "scores", [])]
                print(f"  score bits: {bits}" if bits else "")
            shown.add(channel.topic)
    for (topic, schema), count in sorted(counts.items()):
        print(f"{count:7} {topic} ({schema})")


if __name__ == "__main__":
    main(sys.argv[1])
