"""The plain loop is a fair one: it finds what ours finds."""

import json
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from cleandesk.bench import frames
from cleandesk.bench.finds import Find, same_finds
from cleandesk.detector import Detector
from tests.bench import plain
from tests.rig import CLIP


@pytest.mark.parametrize("number", [100, 254, 318, 508])
def test_it_detects_what_our_detector_believes(number: int) -> None:
    detector = Detector.load(threads=1)
    model = plain.Model(detector.manifest, detector.weights.file, 1)
    image = frames.pictures(CLIP, [number])[0]
    theirs = model.postprocess(model.infer(model.preprocess(image)), image.shape)
    believed = detector.manifest.threshold_of
    ours = [
        Find(name, box)
        for name, score, box in detector.detect(image, min_score=0.1)
        if score >= believed(name)
    ]
    assert same_finds(ours, [Find(one.class_name, one.box) for one in theirs])


def test_an_empty_picture_gives_nothing() -> None:
    detector = Detector.load(threads=1)
    model = plain.Model(detector.manifest, detector.weights.file, 1)
    output = detector.infer(detector.prepare(frames.pictures(CLIP, [0])[0])).copy()
    output[: len(detector.names)] = 0.0
    assert model.postprocess(output, (720, 1280, 3)) == []


def test_only_changes_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(mqtt.Client, "connect", lambda *_: None)
    monkeypatch.setattr(mqtt.Client, "loop_start", lambda *_: None)
    monkeypatch.setattr(
        mqtt.Client,
        "publish",
        lambda _, topic, payload, **__: sent.append((topic, json.loads(payload))),
    )
    publisher = plain.Publisher("localhost", 1883)
    shape = (720, 1280, 3)
    cup = plain.Found("cup", 0.9, (100.0, 100.0, 200.0, 200.0))
    moved_little = plain.Found("cup", 0.8, (102.0, 100.0, 202.0, 200.0))
    for found in ([cup], [moved_little], [], []):
        publisher.publish(found, shape)
    assert [len(message["detections"]) for _, message in sent] == [1, 0]
    first = sent[0][1]["detections"][0]
    assert first["class"] == "cup"
    assert first["box"] == [0.0781, 0.1389, 0.1562, 0.2778]
