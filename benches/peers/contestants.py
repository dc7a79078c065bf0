"""Who takes part, and how each is asked: the engines through worker.py, hairpin through its own `bench`.

Both kinds answer the same three questions: `scores()` of all frames, `round(n)`: times of n inferences, and `sample()`:
how many of the instructions looked at were VEX or EVEX. Refuses: to go on with one that does not start; `Absent` says why.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess

import numpy as np

HERE = pathlib.Path(__file__).parent
# glibc chooses its memcpy before anything can be preloaded; it has a switch of its own.
HIDDEN_FROM_GLIBC = "glibc.cpu.hwcaps=" + ",".join("-" + feature for feature in (
    "AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ", "AVX512CD", "AVX_Fast_Unaligned_Load", "BMI1", "BMI2",
    "FMA", "F16C", "LZCNT", "RTM"))
# Inferences before each round, so that weights and code are back in the caches.
WARM_UP = 10
SAMPLE_SECONDS = 2.0

# title: environment, engine of worker.py, file.
ENGINES = {
    "OpenVINO 2021.4 f32": ("openvino2021", "openvino2021", "model.onnx"),
    "OpenVINO f32": ("engines", "openvino", "model.onnx"),
    "OpenVINO int8": ("engines", "openvino", "int8.xml"),
    "ONNX Runtime f32": ("engines", "onnxruntime", "model.onnx"),
    "ONNX Runtime int8": ("engines", "onnxruntime", "int8.onnx"),
    "TensorFlow Lite f32": ("engines", "tflite", "f32.tflite"),
    "TensorFlow Lite int8": ("engines", "tflite", "int8.tflite"),
}
HAIRPIN = {"hairpin f32": "f32", "hairpin fixed": "fixed"}


class Absent(Exception):
    """Cannot take part; the text says why."""


def environment(work, limit, **more):
    """What a contestant finds in its environment: the limit, one thread, no settings of the user's own."""
    found = {key: value for key, value in os.environ.items()
             if not key.startswith(("TRACT_", "ONEDNN_", "DNNL_", "OMP_", "OPENBLAS_", "HAIRPIN_"))}
    found.update(LD_PRELOAD=str(work / "limit.so"), PEERS_LIMIT=limit, OMP_NUM_THREADS="1", **more)
    if limit == "sse4.2":
        found["GLIBC_TUNABLES"] = HIDDEN_FROM_GLIBC
    return found


class Engine:
    """A worker of one engine, alive until it is closed."""

    def __init__(self, title, limit, work, folder):
        where, self.engine, file = ENGINES[title]
        self.title, self.limit, self.work = title, limit, work
        self.model, self.frames = folder / file, folder / "frames.npy"
        self.python = work / where / "bin" / "python"
        if not self.python.exists():
            raise Absent(f"the environment {where} is not there")
        self.log = (folder / f"{title} {limit}.log".replace(" ", "-")).open("w+")
        self.worker = subprocess.Popen(
            [self.python, HERE / "worker.py", self.engine, self.model, self.frames], env=environment(work, limit),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.version = self.answer()["version"]

    def answer(self):
        line = self.worker.stdout.readline()
        if not line:
            self.log.seek(0)
            last = (self.log.read().strip().splitlines() or ["it said nothing"])[-1]
            raise Absent(f"ended with {self.worker.wait()}: {last}")
        return json.loads(line)

    def ask(self, line):
        self.worker.stdin.write(line + "\n")
        self.worker.stdin.flush()
        return self.answer()

    def scores(self):
        path = self.frames.with_name("scores.npy")
        self.ask(f"scores {path}")
        return np.load(path)

    def control(self, qemu):
        """The scores of the same worker on an emulated Goldmont, where a VEX instruction ends the program."""
        path = self.frames.with_name("control.npy")
        packages = next(self.python.parent.parent.glob("lib/python3*/site-packages"))
        done = subprocess.run(
            [qemu, "-cpu", "Denverton", "-E", f"PYTHONPATH={packages}", self.python.resolve(), HERE / "worker.py",
             self.engine, self.model, self.frames], input=f"scores {path}\n", capture_output=True, text=True)
        if done.returncode != 0:
            raise Absent(f"ended with {done.returncode} under qemu: {done.stderr.strip().splitlines()[-1]}")
        return np.load(path)

    def round(self, inferences):
        self.ask(f"warm {WARM_UP}")
        times = self.ask(f"run {inferences}")
        return times["cpu_ns"], times["wall_ns"]

    def sample(self):
        found = self.ask(f"sample {SAMPLE_SECONDS}")
        return found["sampled"], found["extended"]

    def close(self):
        self.worker.stdin.close()
        self.worker.wait()
        self.log.close()


class Hairpin:
    """hairpin's own program, started anew for each round. The only place that knows its command line (README.md).

    The fixed-point plan is calibrated on the measured frames, like the int8 of the others.
    """

    def __init__(self, title, limit, work, folder, program):
        if program is None or not pathlib.Path(program).is_file():
            raise Absent("no program: build it, or name it with --hairpin")
        self.title, self.limit, self.work, self.folder = title, limit, work, folder
        self.program, precision = pathlib.Path(program).resolve(), HAIRPIN[title]
        self.version = self.call("--version").strip().split()[-1]
        if "--only" not in self.call("bench", "--help"):
            raise Absent("this build has no bench --only infer")
        # On a CPU that shows no AVX these are the car's kernels in any case.
        self.settings = ["--set", "policy.kernels=native", "--set", f"policy.precision={precision}"]
        self.model = folder / f"hairpin-{precision}-{limit}" / "model"
        shutil.rmtree(self.model, ignore_errors=True)
        self.call("import", folder / "model.onnx", "--name", "model", "--models", self.model.parent, *self.settings,
                  *(["--frames", self.tape()] if precision == "fixed" else []))
        kernels = self.bench(1)["kernels"]
        if kernels.startswith("fixed") != (precision == "fixed"):
            raise Absent(f"runs {kernels}: `hairpin inspect {self.model}` says why")

    def tape(self):
        """The frames as a tape."""
        path = self.folder / "frames.mcap"
        self.call("import", self.folder / "pictures", "--out", path, "--force")
        return path

    def call(self, *arguments, **more):
        done = subprocess.run([self.program, *arguments], env=environment(self.work, self.limit, **more),
                              cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise Absent(f"hairpin {arguments[0]}: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
        return done.stdout

    def bench(self, ticks, *arguments, **more):
        return json.loads(self.call("bench", "--model", self.model, "--only", "infer", "--frames",
                                    self.folder / "frames.npy", "--ticks", str(ticks), "--json", *arguments,
                                    *self.settings, **more))

    def scores(self):
        path = self.folder / "scores.npy"
        self.bench(1, "--scores", path)
        return np.load(path)

    def round(self, inferences):
        times = self.bench(inferences)["infer"]
        return times["cpu_ns"], times["wall_ns"]

    def sample(self):
        path = self.folder / "sampled.txt"
        path.unlink(missing_ok=True)
        seconds = statistics.median(self.round(WARM_UP)[0]) / 1e9
        self.bench(int(SAMPLE_SECONDS / seconds) + 1, PEERS_SAMPLE=str(path))
        rows = [[int(word) for word in line.split()] for line in path.read_text().splitlines()]
        return sum(row[0] for row in rows), sum(row[1] for row in rows)

    def close(self):
        pass
