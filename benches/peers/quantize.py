"""Eight bits for ONNX Runtime (QDQ, its own quantiser) and OpenVINO (NNCF, its own quantiser). Runs in `engines`.

Both are post-training and calibrated on the very frames that are measured: the kindest case for accuracy. Weights per
output channel, activations per tensor. Refuses: to quantise anything but a model that networks.py wrote.
"""

import argparse
import pathlib

import nncf
import numpy as np
import openvino
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static


class Frames(CalibrationDataReader):
    """The calibration frames, one after the other, as ONNX Runtime asks for them."""

    def __init__(self, name, frames):
        self.rest = iter([{name: frame[None].astype(np.float32)} for frame in frames])

    def get_next(self):
        return next(self.rest, None)


def for_onnxruntime(folder, name, frames):
    # Seven-bit weights: without VNNI, u8 x s8 pairs are summed in 16 bits, and eight-bit ones saturate.
    quantize_static(folder / "model13.onnx", folder / "int8.onnx", Frames(name, frames), quant_format=QuantFormat.QDQ,
                    per_channel=True, reduce_range=True, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8)


def for_openvino(folder, frames):
    model = openvino.Core().read_model(folder / "model.onnx")
    dataset = nncf.Dataset(list(frames), lambda frame: frame[None].astype(np.float32))
    openvino.save_model(nncf.quantize(model, dataset, subset_size=len(frames)), folder / "int8.xml",
                        compress_to_fp16=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=pathlib.Path, nargs="+")
    for folder in parser.parse_args().folders:
        frames = np.load(folder / "frames.npy")
        name = openvino.Core().read_model(folder / "model.onnx").input(0).any_name
        if not (folder / "int8.onnx").is_file():
            for_onnxruntime(folder, name, frames)
        if not (folder / "int8.xml").is_file():
            for_openvino(folder, frames)


if __name__ == "__main__":
    main()
