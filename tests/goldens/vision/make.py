#!/usr/bin/env python3
"""Makes the golden pictures of this folder: what OpenCV, libjpeg-turbo (inside OpenCV) and Pillow say.

The sources are drawn here (a track scene with gradients, coloured lines and noise, seeded), so nothing in
this folder comes from anywhere else. README.md names the versions that made the stored files. Pillow 13
changed the order of the two passes for some shapes, so an older one is wanted: training ran on older ones.

    make.py           derives every expectation again from the stored sources and compares: any OpenCV >= 4.5
    make.py --draw    draws the sources too and stores everything
"""

import argparse
import pathlib
import sys

import cv2
import numpy as np
import PIL
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
NETWORK = (160, 120)
# Source size to what is expected of it. The last three stretch and shrink at once, have a single column, and
# stretch both ways.
SIZES = {
    (640, 480): ["stock", "luma", "trained"],
    (320, 240): ["stock", "trained", "trained-stereo"],
    (160, 120): ["stock", "trained"],
    (213, 97): ["stock", "luma", "trained", "trained-stereo"],
    (35, 151): ["stock", "trained"],
    (1, 5): ["stock", "trained"],
    (37, 29): ["stock", "trained"],
}


def scene(width, height, seed):
    """A track as a camera on the car sees it, RGB uint8."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0.0, 1.0, width)[None, :]
    y = np.linspace(0.0, 1.0, height)[:, None]
    picture = np.empty((height, width, 3), np.float64)
    wall = y < 0.27
    for channel, (top, floor, glow) in enumerate([(190, 60, 30), (170, 75, 10), (140, 66, -25)]):
        picture[:, :, channel] = np.where(wall, top - 90 * y + 25 * x, floor + 55 * y + glow * x)
    picture = np.clip(picture, 0, 255).astype(np.uint8)

    def curve(offset, spread, colour, thick, dashed=False):
        steps = 24
        points = []
        for step in range(steps + 1):
            t = step / steps
            px = 0.5 + offset * (0.06 + spread * t * t) + 0.16 * np.sin(2.2 * (1 - t) + 0.4 * seed)
            points.append((int(px * width), int((0.27 + 0.73 * t) * height)))
        for step in range(steps):
            if not dashed or step % 3 < 2:
                cv2.line(picture, points[step], points[step + 1], colour, max(1, int(thick * width / 160)), cv2.LINE_AA)

    curve(-1.0, 0.75, (245, 245, 240), 3)
    curve(1.0, 0.75, (245, 245, 240), 3)
    curve(0.0, 0.1, (250, 200, 20), 2, dashed=True)
    cv2.rectangle(picture, (int(0.08 * width), int(0.1 * height)), (int(0.2 * width), int(0.26 * height)), (200, 30, 40), -1)
    cv2.circle(picture, (int(0.82 * width), int(0.18 * height)), max(1, width // 22), (30, 70, 210), -1, cv2.LINE_AA)
    # Clipped corners: saturated white and black next to colour.
    picture[: max(1, height // 20), : max(1, width // 8)] = 255
    picture[-max(1, height // 20) :, -max(1, width // 8) :] = (0, 0, 255)
    noise = rng.normal(0.0, 2.0, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def stock(rgb):
    """The car's arithmetic: bilinear on BGR, then grey (image_process of the stock inference node)."""
    small = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), NETWORK)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)


def trained(rgb):
    """The training side's: Pillow's bilinear, then truncated grey; and Pillow's L, which stereo uses."""
    small = Image.fromarray(rgb).resize(NETWORK, resample=Image.Resampling.BILINEAR)
    r, g, b = (np.asarray(small)[:, :, i].astype(np.int64) for i in range(3))
    exact = (2989 * r + 5870 * g + 1140 * b) // 10000
    small8 = np.asarray(small)
    floats = (0.2989 * small8[:, :, 0] + 0.5870 * small8[:, :, 1] + 0.1140 * small8[:, :, 2]) / 255 * 255
    differ = int((floats.astype(np.uint8) != exact).sum())
    return exact.astype(np.uint8), np.asarray(small.convert("L")), differ


def png(array):
    ok, out = cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert ok
    return out.tobytes()


def decoded(coded, flag=cv2.IMREAD_COLOR):
    return cv2.imdecode(np.frombuffer(coded, np.uint8), flag)


def jpeg(rgb, sampling, quality, restart=0):
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_RST_INTERVAL, restart,
               cv2.IMWRITE_JPEG_SAMPLING_FACTOR, getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}")]
    ok, out = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    assert ok
    return out.tobytes()


def yuyv(rgb):
    """Packed 4:2:2; the upper rows are random bytes, so that clipping is met on every side."""
    ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    packed = np.empty(rgb.shape[:2] + (2,), np.uint8)
    packed[:, :, 0] = ycc[:, :, 0]
    packed[:, 0::2, 1] = ycc[:, 0::2, 2]
    packed[:, 1::2, 1] = ycc[:, 1::2, 1]
    packed[:20] = np.random.default_rng(9).integers(0, 256, packed[:20].shape, dtype=np.uint8)
    return packed


def sources():
    """File name to bytes of everything that is drawn."""
    files = {}
    for seed, (width, height) in enumerate(SIZES, start=1):
        rgb, name = scene(width, height, seed), f"{width}x{height}"
        if width >= 320:
            # What a decoder made of a JPEG: as a frame is, and smaller to store.
            files[f"{name}.jpg"] = jpeg(rgb, "422", 70)
            files[f"{name}.source.png"] = png(decoded(files[f"{name}.jpg"]))
        else:
            files[f"{name}.source.png"] = png(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    small = scene(160, 120, 11)
    for sampling in ["420", "422", "444", "440", "411"]:
        files[f"small-{sampling}.jpg"] = jpeg(small, sampling, 80)
    files["small-restart.jpg"] = jpeg(small, "422", 80, restart=10)
    files["odd-420.jpg"] = jpeg(scene(101, 53, 12), "420", 80)
    ok, out = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert ok
    files["small-gray.jpg"] = out.tobytes()
    files["80x60.yuyv"] = yuyv(scene(320, 240, 13)[90:150, 120:200]).tobytes()
    return files


def expectations(files):
    """What the libraries make of the sources, and remarks for people."""
    out, differ = {}, 0
    for (width, height), wanted in SIZES.items():
        name = f"{width}x{height}"
        rgb = cv2.cvtColor(decoded(files[f"{name}.source.png"]), cv2.COLOR_BGR2RGB)
        exact, stereo, lost = trained(rgb)
        differ += lost
        # Any single plane serves for the resize of one channel: the red one is taken.
        plane = cv2.resize(np.ascontiguousarray(rgb[:, :, 0]), NETWORK)
        every = {"stock": stock(rgb), "luma": plane, "trained": exact, "trained-stereo": stereo}
        for kind in wanted:
            out[f"{name}.{kind}.png"] = png(every[kind])
    for name in [name for name in files if name.endswith(".jpg") and not name[0].isdigit()]:
        stem = name.removesuffix(".jpg")
        out[f"{stem}.gray.png"] = png(cv2.cvtColor(decoded(files[name]), cv2.COLOR_BGR2GRAY))
    # The five samplings share one luma plane; so does the one with restart markers.
    for stem in ["small-422", "odd-420"]:
        out[f"{stem}.luma.png"] = png(decoded(files[f"{stem}.jpg"], cv2.IMREAD_GRAYSCALE))
    packed = np.frombuffer(files["80x60.yuyv"], np.uint8).reshape(60, 80, 2)
    bgr = cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_YUY2)
    out["80x60.yuyv.rgb.png"] = png(bgr)
    out["80x60.yuyv.stock.png"] = png(stock(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)))
    print(f"training's float grey against exact integers: {differ} pixels differ")
    return out


def same(old, new):
    a, b = decoded(old, cv2.IMREAD_UNCHANGED), decoded(new, cv2.IMREAD_UNCHANGED)
    return a.shape == b.shape and bool((a == b).all())


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--draw", action="store_true", help="draw the sources again and store everything")
    draw = options.parse_args().draw
    print(f"opencv {cv2.__version__}, numpy {np.__version__}, pillow {PIL.__version__}")
    if draw:
        files = sources()
    else:
        files = {path.name: path.read_bytes() for path in HERE.iterdir()}
    wanted, wrong = expectations(files), 0
    if draw:
        for name, content in {**files, **wanted}.items():
            (HERE / name).write_bytes(content)
    else:
        for name in [name for name in wanted if name not in files or not same(files[name], wanted[name])]:
            print(f"differs: {name}")
            wrong += 1
    print(f"{len(wanted)} expectations, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
