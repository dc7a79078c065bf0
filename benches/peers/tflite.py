"""TensorFlow Lite files of the same networks with the same weights. Runs in the `convert` environment (TensorFlow).

f32: values 0..255 in, divided by 255 in the graph, as in ONNX. int8: calibrated on the frames that are measured, and the
division is free: the input's scale is 1/255 and its zero point -128, so that a pixel minus 128 is the input as it is.
Refuses: a folder that networks.py did not fill.
"""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import tensorflow as tf

from topology import NETWORKS


def function(name, weights, divide):
    """The network as a TensorFlow function of one frame."""
    channels, convolutions, per_location, middleware, _, _ = NETWORKS[name]

    def dense(value, key):
        return tf.nn.bias_add(tf.matmul(value, weights[f"{key}/kernel"]), weights[f"{key}/bias"])

    @tf.function(input_signature=[tf.TensorSpec([1, 120, 160, channels], tf.float32)])
    def network(value):
        if divide:
            value = value * np.float32(1 / 255)
        for index, (_, _, stride) in enumerate(convolutions):
            value = tf.nn.conv2d(value, weights[f"conv{index}/kernel"], stride, "VALID")
            value = tf.nn.relu(tf.nn.bias_add(value, weights[f"conv{index}/bias"]))
        if per_location:
            value = tf.reshape(value, [-1, convolutions[-1][0]])
        for index in range(len(per_location)):
            value = tf.nn.relu(dense(value, f"location{index}"))
        value = tf.reshape(value, [1, -1])
        for index in range(len(middleware)):
            value = tf.nn.relu(dense(value, f"middleware{index}"))
        return tf.nn.softmax(dense(value, "policy"))

    return network


def convert(network, frames=None):
    """The bytes of the TensorFlow Lite file; of int8 where calibration frames are given."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()])
    if frames is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([frame[None].astype(np.float32) / 255] for frame in frames)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=pathlib.Path, nargs="+", help="each named like its network")
    for folder in parser.parse_args().folders:
        weights, frames = dict(np.load(folder / "weights.npz")), np.load(folder / "frames.npy")
        if not (folder / "f32.tflite").is_file():
            (folder / "f32.tflite").write_bytes(convert(function(folder.name, weights, divide=True)))
        if not (folder / "int8.tflite").is_file():
            (folder / "int8.tflite").write_bytes(convert(function(folder.name, weights, divide=False), frames))


if __name__ == "__main__":
    main()
