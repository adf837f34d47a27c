"""People are looked for harder than the rules do."""

from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from cleandesk.detector import Detections, Detector, default_manifest
from cleandesk.evidence.errors import EvidenceError
from cleandesk.evidence.people import People, PeopleFinder


def test_a_model_that_does_not_know_people_is_refused(tmp_path: Path) -> None:
    shipped = default_manifest()
    text = shipped.read_text(encoding="utf-8").replace("person", "chair")
    data = yaml.safe_load(text) | {"file": str(shipped.parent / "desk.onnx"), "variants": []}
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(EvidenceError, match="does not know people, so stills cannot be redacted"):
        PeopleFinder(Detector.load(manifest, threads=1), score=0.1)


def test_more_people_are_found_than_in_one_look(
    detector: Detector, people_at_a_table: NDArray[np.uint8]
) -> None:
    once = People.of(detector.detect(people_at_a_table, min_score=0.05))
    looks = list(PeopleFinder(detector, score=0.05).look(people_at_a_table, (200, 200, 260, 240)))
    np.testing.assert_array_equal(looks[0].boxes, once.boxes)
    found = reduce(People.joined, looks)
    assert len(found.boxes) > 2 * len(once.boxes) > 0
    assert (found.scores >= 0.05).all()


def test_only_people_are_taken_from_detections() -> None:
    boxes = np.array([[0, 0, 9, 9], [1, 1, 5, 5]], np.float32)
    scores = np.array([0.9, 0.2], np.float32)
    found = Detections(boxes, scores, np.array([0, 1]), ("cup", "person"), (10, 10))
    people = People.of(found)
    np.testing.assert_array_equal(people.boxes, [[1, 1, 5, 5]])
    assert len(people.joined(people).from_score(0.2)) == 2
    assert len(people.from_score(0.3)) == 0
