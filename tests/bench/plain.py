"""The loop that the box is compared with: OpenCV, onnxruntime and paho, as people write it.

What a competent engineer writes in a day: one loop that reads a picture, makes a tensor of it by
numpy, runs the model, decodes only the points that matter, and publishes what it detects whenever
that changes. No thread of its own, no gate, no rules, nothing kept when the broker is away.

To try it alone: `python tests/bench/plain.py CLIP [HOST:PORT]`.
"""

import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import paho.mqtt.client as mqtt
from numpy.typing import NDArray
from paho.mqtt.enums import CallbackAPIVersion

from cleandesk.detector import Manifest, default_manifest, read_manifest
from cleandesk.detector.runtime import onnxruntime as ort

TOPIC = "plain/detections"


class Video(Protocol):
    """What it takes its pictures from: `cv2.VideoCapture`, or something that looks like it."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there is a picture, and the picture."""
        ...


@dataclass(frozen=True)
class Found:
    """One detection; its box as x1, y1, x2, y2 in pixels of the picture."""

    class_name: str
    score: float
    box: tuple[float, float, float, float]


class Model:
    """NanoDet-Plus by onnxruntime."""

    def __init__(self, manifest: Manifest, weights: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(
            str(weights), options, providers=["CPUExecutionProvider"]
        )
        self.input_name = self.session.get_inputs()[0].name
        spec = manifest.input
        self.size = (spec.width, spec.height)
        self.mean = np.array(spec.mean, np.float32)
        self.std = np.array(spec.std, np.float32)
        self.names = manifest.classes
        self.iou = manifest.nms_iou
        self.bins = np.arange(manifest.reg_max + 1, dtype=np.float32)
        self.thresholds = np.array(
            [_own_score(manifest, name) for name in manifest.classes], np.float32
        )
        self.centres, self.strides = _grid(manifest)

    def preprocess(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the picture as the model's input, float32 [1, 3, height, width]."""
        resized = cv2.resize(image, self.size)
        normalised = (resized.astype(np.float32) - self.mean) / self.std
        return np.ascontiguousarray(normalised.transpose(2, 0, 1)[np.newaxis])

    def infer(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the model's output, float32 [classes + 4 * bins, points]."""
        output: NDArray[np.float32] = self.session.run(None, {self.input_name: tensor})[0][0]
        return output

    def postprocess(self, output: NDArray[np.float32], shape: tuple[int, ...]) -> list[Found]:
        """Return what was found, in pixels of a picture of this shape."""
        scores = output[: len(self.names)]
        classes, points = np.nonzero(scores >= self.thresholds[:, np.newaxis])
        if not len(points):
            return []
        best = scores[classes, points]
        logits = output[len(self.names) :, points].T.reshape(-1, 4, len(self.bins))
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        sides = (weights @ self.bins) / weights.sum(axis=2) * self.strides[points, np.newaxis]
        boxes = np.concatenate(
            [self.centres[points] - sides[:, :2], self.centres[points] + sides[:, 2:]], axis=1
        )
        boxes *= np.array([shape[1], shape[0]] * 2) / np.array(self.size * 2)
        corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        kept = cv2.dnn.NMSBoxesBatched(
            corners.tolist(), best.tolist(), classes.tolist(), 0.0, self.iou
        )
        return [
            Found(self.names[classes[i]], float(best[i]), tuple(boxes[i].tolist())) for i in kept
        ]


State = list[tuple[str, tuple[int, ...]]]


def state_of(found: list[Found], shape: tuple[int, ...]) -> State:
    """Return what lies where, to a tenth of the picture: what is published when it changes."""
    size = (shape[1], shape[0]) * 2
    return sorted(
        (one.class_name, tuple(round(10 * v / s) for v, s in zip(one.box, size, strict=True)))
        for one in found
    )


class Publisher:
    """Publishes the detections whenever things came, went, or moved."""

    def __init__(self, host: str, port: int) -> None:
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.connect(host, port)
        self.client.loop_start()
        self.last: State | None = None

    def publish(self, found: list[Found], shape: tuple[int, ...]) -> None:
        """Publish, if it is something else than the last time."""
        state = state_of(found, shape)
        if state == self.last:
            return
        self.last = state
        height, width = shape[:2]
        message = {
            "detections": [
                {
                    "class": one.class_name,
                    "score": round(one.score, 3),
                    "box": [
                        round(v / s, 4) for v, s in zip(one.box, (width, height) * 2, strict=True)
                    ],
                }
                for one in found
            ]
        }
        self.client.publish(TOPIC, json.dumps(message), qos=1)

    def close(self) -> None:
        """Leave the broker."""
        self.client.disconnect()
        self.client.loop_stop()


def run(
    video: Video, manifest: Manifest, weights: Path, broker: tuple[str, int], *, threads: int
) -> None:
    """Look at every picture until there are no more."""
    model = Model(manifest, weights, threads)
    publisher = Publisher(*broker)
    while True:
        found, image = video.read()
        if not found:
            break
        output = model.infer(model.preprocess(image))
        publisher.publish(model.postprocess(output, image.shape), image.shape)
    publisher.close()


def _own_score(manifest: Manifest, name: str) -> float:
    """Return the model's own score at the threshold of a class, which is told calibrated."""
    threshold = manifest.threshold_of(name)
    line = manifest.calibration.get(name)
    if line is None:
        return threshold
    odds = math.log(threshold / (1 - threshold))
    return 1 / (1 + math.exp(-(odds - line.offset) / line.scale))


def _grid(manifest: Manifest) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the centre and the stride of each of the model's points."""
    centres, strides = [], []
    for stride in manifest.strides:
        height = math.ceil(manifest.input.height / stride)
        width = math.ceil(manifest.input.width / stride)
        y, x = np.mgrid[:height, :width] * stride
        centres.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(x.size, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def main() -> None:
    """Run it on a clip."""
    clip, where = sys.argv[1], (sys.argv[2:] or ["localhost:1883"])[0]
    host, _, port = where.rpartition(":")
    manifest = read_manifest(default_manifest())
    threads = max(1, len(os.sched_getaffinity(0)) - 1)
    run(cv2.VideoCapture(clip), manifest, manifest.file, (host, int(port)), threads=threads)


if __name__ == "__main__":
    main()
