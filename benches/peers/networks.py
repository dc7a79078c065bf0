"""Writes the four networks as ONNX, with the frames that they are measured on. Runs in the `engines` environment.

What DeepRacer's training exports, as tf2onnx would write it: frames NHWC with values 0..255, a multiplication by 1/255,
VALID convolutions with ReLU, dense layers per location before flattening (Reshape, MatMul, Add, Relu), flattening in
NHWC order, the middleware's dense layers, the policy head, softmax. The multiplication comes after the transposition, as
in what OpenVINO's model optimizer makes of these graphs for the car: the other way round it alone costs OpenVINO 2021.4
0.6 ms with SSE4.2 and 3.7 ms with AVX-512, and the comparison would be with that.

Weights are drawn from a seed. They drive nobody, but activations stay near 1, and the head is centred on the frames: its
scores differ from frame to frame, and an engine that computes something else changes actions.

Refuses: to invent another topology; unknown names end the program.
"""

import argparse
import hashlib
import json
import pathlib
import shutil
import struct
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from topology import NETWORKS

HEIGHT, WIDTH = 120, 160
# Steering angle in degrees, speed in m/s: the wheel's five positions of AWS's sample models.
ACTIONS = [(-30, 0.6), (-15, 0.6), (0, 0.6), (15, 0.6), (30, 0.6)]
# Standard deviation of the logits over the frames: the winner has about 0.6 of the probability.
SPREAD = 1.5
# OpenVINO 2021.4 reads up to this one; quantisation per channel needs the other.
OPSET, OPSET_PER_CHANNEL = 11, 13
# A change in one of these makes everything anew.
MAKERS = ("topology.py", "networks.py", "quantize.py", "tflite.py")
FILES = {1: "inputs_real_larsll_gray_u8.npy", 2: "inputs_stereo_u8.npy"}


def frames_for(channels, golden):
    """Frames, u8 [N, 120, 160, channels]: a real car's where they are, else drawn ones: a lane with noise."""
    path = golden / FILES[channels]
    if path.is_file():
        return np.ascontiguousarray(np.load(path).reshape(-1, HEIGHT, WIDTH, channels)), path.name
    random = np.random.default_rng(7)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    frames = np.empty((64, HEIGHT, WIDTH, channels), np.uint8)
    for index in range(len(frames)):
        bend, place, light = random.uniform(-1, 1), random.uniform(-40, 40), random.uniform(0.5, 1.2)
        depth = (rows - 40).clip(0) / 80
        for eye in range(channels):
            middle = 80 + place * depth + 60 * bend * (1 - depth) ** 2 - 5 * eye * depth
            edge = np.abs(np.abs(columns - middle) - 8 - 60 * depth) < 1 + 4 * depth
            grey = np.where(rows < 40, 150, np.where(edge, 230, 70)) * light
            frames[index, :, :, eye] = (grey + random.normal(0, 6, grey.shape)).clip(0, 255)
    return frames, "drawn"


def draw(name):
    """Weights as name -> array, in the layouts of TensorFlow (HWIO, IO); the head is still missing."""
    channels, convolutions, per_location, middleware, _, _ = NETWORKS[name]
    random = np.random.default_rng(list(name.encode()))
    weights, height, width, depth = {}, HEIGHT, WIDTH, channels

    def layer(key, shape, fan_in):
        weights[f"{key}/kernel"] = random.normal(0, np.sqrt(2 / fan_in), shape).astype(np.float32)
        weights[f"{key}/bias"] = random.normal(0, 0.05, shape[-1]).astype(np.float32)

    for index, (filters, kernel, stride) in enumerate(convolutions):
        layer(f"conv{index}", (kernel, kernel, depth, filters), kernel * kernel * depth)
        height, width, depth = (height - kernel) // stride + 1, (width - kernel) // stride + 1, filters
    for index, units in enumerate(per_location):
        layer(f"location{index}", (depth, units), depth)
        depth = units
    depth *= height * width
    for index, units in enumerate(middleware):
        layer(f"middleware{index}", (depth, units), depth)
        depth = units
    return weights


def graph(name, weights, opset):
    """The ONNX model. Without a head in `weights` it ends at the middleware's last ReLU."""
    channels, convolutions, per_location, middleware, _, sensor = NETWORKS[name]
    nodes, initializers = [], []

    def constant(key, array):
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), key))
        return key

    def add(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def dense(value, key, activation="Relu"):
        product = add("MatMul", [value, constant(f"{key}/kernel", weights[f"{key}/kernel"])], f"{key}/MatMul")
        total = add("Add", [product, constant(f"{key}/bias", weights[f"{key}/bias"])], f"{key}/Add")
        return add("Relu", [total], f"{key}/Relu") if activation else total

    value = add("Transpose", [sensor], "planes", perm=[0, 3, 1, 2])
    value = add("Mul", [value, constant("scale", np.float32(1 / 255))], "scaled")
    for index, (_, kernel, stride) in enumerate(convolutions):
        key = f"conv{index}"
        kernels = constant(f"{key}/kernel", weights[f"{key}/kernel"].transpose(3, 2, 0, 1))
        value = add("Conv", [value, kernels, constant(f"{key}/bias", weights[f"{key}/bias"])], f"{key}/Conv",
                    kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[0, 0, 0, 0])
        value = add("Relu", [value], f"{key}/Relu")
    value = add("Transpose", [value], "pixels", perm=[0, 2, 3, 1])
    if per_location:
        shape = constant("locations/shape", np.array([-1, convolutions[-1][0]], np.int64))
        value = add("Reshape", [value, shape], "locations")
    for index in range(len(per_location)):
        value = dense(value, f"location{index}")
    flat = weights["middleware0/kernel"].shape[0]
    value = add("Reshape", [value, constant("flat/shape", np.array([1, flat], np.int64))], "flat")
    for index in range(len(middleware)):
        value = dense(value, f"middleware{index}")
    units = middleware[-1]
    if "policy/kernel" in weights:
        units = len(ACTIONS)
        value = add("Softmax", [dense(value, "policy", activation=None)], "policy", axis=1)
    model = helper.make_model(
        helper.make_graph(
            nodes, name,
            [helper.make_tensor_value_info(sensor, TensorProto.FLOAT, [1, HEIGHT, WIDTH, channels])],
            [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, units])],
            initializers),
        opset_imports=[helper.make_opsetid("", opset)], ir_version=6, producer_name="hairpin-peers")
    onnx.checker.check_model(model)
    return model


def add_head(name, weights, frames):
    """A head whose logits have mean 0 and standard deviation SPREAD over the frames, action by action."""
    body = onnxruntime.InferenceSession(graph(name, weights, OPSET).SerializeToString(),
                                        providers=["CPUExecutionProvider"])
    sensor = body.get_inputs()[0].name
    features = np.concatenate([body.run(None, {sensor: frame[None].astype(np.float32)})[0] for frame in frames])
    # The directions in which the features vary most, mixed: what training makes of a head, without training.
    _, _, directions = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    random = np.random.default_rng([1, *name.encode()])
    mixed, _ = np.linalg.qr(random.normal(0, 1, (len(ACTIONS), len(ACTIONS))))
    kernel = directions[:len(ACTIONS)].T @ mixed
    kernel *= SPREAD / (features @ kernel).std(axis=0)
    weights["policy/kernel"] = kernel.astype(np.float32)
    weights["policy/bias"] = (-(features @ kernel).mean(axis=0)).astype(np.float32)
    return float(features.mean()), float(features.max()), float(np.abs(kernel).max())


def write_pictures(folder, frames):
    """Each frame as a grey PNG (RFC 2083), both eyes in folders of their own: what hairpin makes a tape of."""
    for channel, eye in enumerate([""] if frames.shape[3] == 1 else ["left", "right"]):
        (folder / eye).mkdir(parents=True, exist_ok=True)
        for index, grey in enumerate(frames[..., channel]):
            size = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
            rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in grey))
            chunks = b"".join(
                struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
                for kind, body in ((b"IHDR", size), (b"IDAT", rows), (b"IEND", b"")))
            (folder / eye / f"{index:04}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def metadata(name):
    """model_metadata.json, as AWS's training writes it beside the model."""
    *_, network, sensor = NETWORKS[name]
    return {
        "action_space": [{"steering_angle": angle, "speed": speed, "index": index}
                         for index, (angle, speed) in enumerate(ACTIONS)],
        "sensor": [sensor], "neural_network": network, "version": "5", "training_algorithm": "clipped_ppo",
        "action_space_type": "discrete",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder; each network gets one of its own")
    parser.add_argument("--golden", type=pathlib.Path, required=True, help="folder with the recorded frames, if any")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    args = parser.parse_args()
    here = pathlib.Path(__file__).parent
    scripts = {name: hashlib.sha256((here / name).read_bytes()).hexdigest() for name in MAKERS}
    for name in args.networks.split(","):
        if name not in NETWORKS:
            parser.error(f"unknown network {name}, wanted one of {', '.join(NETWORKS)}")
        folder = args.out / name
        frames, source = frames_for(NETWORKS[name][0], args.golden)
        stamp = folder / "made.json"
        made = {"frames": source, "count": len(frames), "scripts": scripts}
        if stamp.is_file() and json.loads(stamp.read_text()) == made:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        weights = draw(name)
        mean, peak, steepest = add_head(name, weights, frames)
        onnx.save(graph(name, weights, OPSET), folder / "model.onnx")
        onnx.save(graph(name, weights, OPSET_PER_CHANNEL), folder / "model13.onnx")
        (folder / "model_metadata.json").write_text(json.dumps(metadata(name), indent=2) + "\n")
        np.save(folder / "frames.npy", frames)
        shutil.rmtree(folder / "pictures", ignore_errors=True)
        write_pictures(folder / "pictures", frames)
        np.savez(folder / "weights.npz", **weights)
        for old in ("int8.onnx", "int8.xml", "f32.tflite", "int8.tflite"):
            (folder / old).unlink(missing_ok=True)
        stamp.write_text(json.dumps(made))
        print(f"{name}: {sum(w.size for w in weights.values()):,} weights, {len(frames)} frames ({source}), "
              f"features mean {mean:.2f} max {peak:.1f}, head's largest weight {steepest:.2f}")


if __name__ == "__main__":
    main()
