"""One engine, one network, one thread: obeys lines on standard input and answers each with a line of JSON.

    scores FILE.npy     runs every frame once, writes the scores, f32 [N, actions]
    warm N              runs N inferences, unmeasured
    run N               CPU time of the whole process and wall time of each of N inferences, in ns
    sample SECONDS      runs for so long and says how many of the sampled instructions were VEX or EVEX

An inference is: set the input that is already a float (or int8) tensor, run, and have the output. Frames go round.
Runs in each environment, so it imports its engine late and stays within Python 3.8. Refuses: an engine, a line or a
thread count that it does not know.
"""

import ctypes
import json
import os
import sys
import time

import numpy as np


def onnxruntime_session(path):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    outputs = [session.get_outputs()[0].name]
    return lambda frame: session.run(outputs, {name: frame})[0], np.float32, onnxruntime.__version__


def openvino_now(path):
    import openvino
    compiled = openvino.Core().compile_model(path, "CPU", {
        "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False})
    request = compiled.create_infer_request()
    into, out = request.get_input_tensor().data, request.get_output_tensor()

    def infer(frame):
        into[:] = frame
        request.infer()
        return out.data

    return infer, np.float32, openvino.__version__.split("-")[0]


def openvino_2021(path):
    from openvino.inference_engine import IECore
    core = IECore()
    network = core.read_network(path)
    name, output = next(iter(network.input_info)), next(iter(network.outputs))
    network.input_info[name].precision = "FP32"
    loaded = core.load_network(network, "CPU", {
        "CPU_THREADS_NUM": "1", "CPU_THROUGHPUT_STREAMS": "1", "CPU_BIND_THREAD": "NO"})
    request = loaded.requests[0]
    into = request.input_blobs[name].buffer

    def infer(frame):
        into[:] = frame
        request.infer()
        return request.output_blobs[output].buffer

    infer.owners = core, network, loaded  # a request does not keep them alive
    return infer, np.float32, core.get_versions("CPU")["CPU"].build_number.split("-")[0]


def tflite(path):
    import importlib.metadata
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(path, num_threads=1)
    interpreter.allocate_tensors()
    entry, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = answer["quantization"]

    def infer(frame):
        interpreter.set_tensor(entry["index"], frame)
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    def whole(frame):
        scores = infer(frame)
        return (scores.astype(np.float32) - zero) * scale if scores.dtype == np.int8 else scores

    infer.scores = whole
    return infer, entry["dtype"], importlib.metadata.version("ai-edge-litert")


ENGINES = {"onnxruntime": onnxruntime_session, "openvino": openvino_now, "openvino2021": openvino_2021,
           "tflite": tflite}


class Bench:
    """A loaded engine and its frames."""

    def __init__(self, engine, path, frames):
        self.infer, kind, self.version = ENGINES[engine](path)
        pixels = np.load(frames)
        if kind == np.int8:
            tensors = (pixels.astype(np.int16) - 128).astype(np.int8)
        else:
            tensors = pixels.astype(np.float32)
        self.frames = [np.ascontiguousarray(tensor[None]) for tensor in tensors]
        self.next = 0

    def once(self):
        self.infer(self.frames[self.next])
        self.next = (self.next + 1) % len(self.frames)

    def scores(self, path):
        infer = getattr(self.infer, "scores", self.infer)
        np.save(path, np.concatenate([np.array(infer(frame), np.float32) for frame in self.frames]))
        return {}

    def warm(self, count):
        for _ in range(int(count)):
            self.once()
        return {}

    def run(self, count):
        cpu, wall = [], []
        for _ in range(int(count)):
            wall_begun, cpu_begun = time.perf_counter_ns(), time.process_time_ns()
            self.once()
            cpu.append(time.process_time_ns() - cpu_begun)
            wall.append(time.perf_counter_ns() - wall_begun)
        return {"cpu_ns": cpu, "wall_ns": wall}

    def sample(self, seconds):
        preloaded, counts = ctypes.CDLL(None), (ctypes.c_uint64(), ctypes.c_uint64())
        until = time.process_time() + float(seconds)
        preloaded.peers_sample_begin()
        while time.process_time() < until:
            self.once()
        preloaded.peers_sample_end(ctypes.byref(counts[0]), ctypes.byref(counts[1]))
        return {"sampled": counts[0].value, "extended": counts[1].value}


def main():
    engine, path, frames = sys.argv[1:4]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # engines print as they please
    bench = Bench(engine, path, frames)
    verbs = {"scores": bench.scores, "warm": bench.warm, "run": bench.run, "sample": bench.sample}
    answer = {"version": bench.version}
    while True:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        line = sys.stdin.readline().split()
        if not line:
            return
        answer = verbs[line[0]](*line[1:])


if __name__ == "__main__":
    main()
