"""Writes a network with drawn weights as ONNX, with the metadata that hairpin wants beside it. Needs Python alone.

    network.py NAME FOLDER [--change]

`odd` has sizes that fill no vector of any instruction set, so every kernel runs its tail; the others are in size what
AWS's training makes. They drive nobody: weights come from a seed. With --change one weight of the first convolution is
another one, and nothing else.

Field numbers are those of the public schema (onnx.proto): a message is a row of (number, wire type) and value.
"""

import array
import json
import math
import pathlib
import random
import sys

HEIGHT, WIDTH = 120, 160
# Convolutions as (filters, kernel, stride), then dense layers.
NETWORKS = {
    "odd": ([(5, 7, 3), (11, 4, 2), (19, 3, 1)], [37, 13]),
    "shallow": ([(32, 8, 4), (64, 4, 2), (64, 3, 1)], [512]),
    "deep": ([(32, 8, 4), (32, 4, 2), (64, 4, 2), (64, 3, 1)], [512, 256, 128]),
}
ACTIONS = [(-30, 0.6), (-15, 0.6), (0, 0.6), (15, 0.6), (30, 0.6)]
FLOAT, INT64 = 1, 7
OPSET = 13


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name, dims, kind, raw):
    return b"".join(number(1, dim) for dim in dims) + number(2, kind) + text(8, name) + text(9, raw)


def value(name, dims):
    shape = b"".join(text(1, number(1, dim)) for dim in dims)
    return text(1, name) + text(2, text(1, number(1, FLOAT) + text(2, shape)))


def integers(name, values):
    return text(1, name) + b"".join(number(8, item) for item in values) + number(20, 7)


def node(kind, inputs, output, attributes=()):
    names = b"".join(text(1, item) for item in inputs)
    return names + text(2, output) + text(3, output) + text(4, kind) + b"".join(text(5, item) for item in attributes)


class Graph:
    """Nodes and weights, in the order in which they are made."""

    def __init__(self, seed, change):
        self.random, self.change = random.Random(seed), change
        self.nodes, self.weights = [], []

    def drawn(self, name, dims, fan_in):
        """Even numbers around zero with the spread that keeps activations near 1."""
        step = math.sqrt(6 / fan_in) / 32768
        words = array.array("H", self.random.randbytes(2 * math.prod(dims)))
        values = array.array("f", [(word - 32768) * step for word in words])
        if self.change:
            values[0], self.change = values[0] + 8192 * step, False
        if sys.byteorder == "big":
            values.byteswap()
        return self.constant(name, dims, FLOAT, values.tobytes())

    def constant(self, name, dims, kind, raw):
        self.weights.append(tensor(name, dims, kind, raw))
        return name

    def add(self, kind, inputs, output, attributes=()):
        self.nodes.append(node(kind, inputs, output, attributes))
        return output

    def dense(self, key, flow, inputs, units):
        product = self.add("MatMul", [flow, self.drawn(f"{key}/kernel", [inputs, units], inputs)], f"{key}/product")
        return self.add("Add", [product, self.drawn(f"{key}/bias", [units], 600)], f"{key}/sum")


def model(name, change):
    convolutions, dense = NETWORKS[name]
    graph = Graph(name, change)
    share = graph.constant("share", [], FLOAT, array.array("f", [1 / 255]).tobytes())
    flow = graph.add("Mul", ["observation", share], "scaled")
    height, width, depth = HEIGHT, WIDTH, 1
    for index, (filters, kernel, stride) in enumerate(convolutions):
        key, fan_in = f"conv{index}", depth * kernel * kernel
        weights = graph.drawn(f"{key}/kernel", [filters, depth, kernel, kernel], fan_in)
        attributes = [integers("kernel_shape", [kernel, kernel]), integers("strides", [stride, stride])]
        flow = graph.add("Conv", [flow, weights, graph.drawn(f"{key}/bias", [filters], 600)], key, attributes)
        flow = graph.add("Relu", [flow], f"{key}/relu")
        height, width, depth = (height - kernel) // stride + 1, (width - kernel) // stride + 1, filters
    flow = graph.add("Transpose", [flow], "pixels", [integers("perm", [0, 2, 3, 1])])
    size = height * width * depth
    shape = graph.constant("flat/shape", [2], INT64, b"".join(item.to_bytes(8, "little") for item in (1, size)))
    flow = graph.add("Reshape", [flow, shape], "flat")
    for index, units in enumerate(dense):
        flow = graph.add("Relu", [graph.dense(f"dense{index}", flow, size, units)], f"dense{index}/relu")
        size = units
    logits = graph.dense("policy", flow, size, len(ACTIONS))
    # Actions so far apart as a trained network's: the import refuses a plan that takes others than f32 does.
    apart = array.array("f", [1.5 * index for index in range(len(ACTIONS))])
    logits = graph.add("Add", [logits, graph.constant("apart", [len(ACTIONS)], FLOAT, apart.tobytes())], "logits")
    graph.add("Softmax", [logits], "probabilities")
    body = b"".join(text(1, item) for item in graph.nodes) + text(2, name) + b"".join(text(5, item) for item in graph.weights)
    body += text(11, value("observation", [1, 1, HEIGHT, WIDTH])) + text(12, value("probabilities", [1, len(ACTIONS)]))
    return number(1, 8) + text(7, body) + text(8, text(1, "") + number(2, OPSET))


def main(name, folder, *flags):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model(name, "--change" in flags))
    actions = [{"steering_angle": angle, "speed": speed} for angle, speed in ACTIONS]
    metadata = {"action_space": actions, "sensor": ["FRONT_FACING_CAMERA"], "action_space_type": "discrete", "version": "4"}
    (folder / "model_metadata.json").write_text(json.dumps(metadata, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
