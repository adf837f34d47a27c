"""The operating point is chosen on real pictures where there are enough, and says where not."""

import math

import numpy as np
import yaml

from models.evaluation.calibrate import IDENTITY
from models.evaluation.choose import LEAST_REAL, Evidence, decide, decide_one, document, gather
from models.evaluation.sets import PictureSet
from models.evaluation.threshold import BLIND_SCORE
from tests.unit.models.evaluation.makers import FAR, A, found, judged, labelled, picture

NONE = judged([], [], pictures=0)
SURE = [0.9 - i / 200 for i in range(40)]


def test_enough_real_things_decide_where_rendered_ones_do_not_object() -> None:
    evidence = {"phone": Evidence(judged(SURE, [0.3] * 9), judged(SURE, []), 80)}
    point, figures = decide(evidence)
    assert figures["phone"]["labelled_real"] == len(SURE)
    assert figures["phone"]["reached"]
    assert point.unverified == ()


def test_rendered_look_alikes_raise_what_real_things_chose() -> None:
    real = judged([0.9] * 60, [])
    alone = Evidence(real, judged([], []), 80)
    warned = Evidence(real, judged([0.9] * 20, [0.7] * 20), 80)
    calm, strict = (decide({"phone": e})[0] for e in (alone, warned))
    wrong = strict.calibration["phone"].apply(np.array([0.7], np.float32))[0]
    assert strict.thresholds["phone"] > wrong
    assert strict.thresholds["phone"] >= calm.thresholds["phone"]


def test_rendered_things_stand_in_for_real_ones_and_that_is_said() -> None:
    evidence = {"pen": Evidence(judged([], [], things=3), judged(SURE, [0.2] * 9), LEAST_REAL - 1)}
    point, figures = decide(evidence)
    assert figures["pen"]["chosen_on"] == "real and rendered"
    assert figures["pen"]["reached"]
    assert point.unverified == ("pen",)


def test_mistakes_on_real_pictures_lift_a_threshold_of_rendered_ones() -> None:
    calm = Evidence(NONE, judged(SURE, [0.2] * 9), 0)
    alarmed = Evidence(judged([], [0.8] * 4), judged(SURE, [0.2] * 9), 0)
    low, _ = decide({"pen": calm})
    high, figures = decide({"pen": alarmed})
    assert high.calibration["pen"].undo(high.thresholds["pen"]) > 0.8
    assert low.calibration["pen"].undo(low.thresholds["pen"]) < 0.8
    assert figures["pen"]["real_wrong"] == 0


def test_a_class_that_is_often_wrong_has_to_be_sure() -> None:
    often = Evidence(judged([0.9] * 30, [0.9] * 20), NONE, 80)
    as_it_is = decide_one(often, IDENTITY, unreached=0)[0]
    assert decide_one(often, IDENTITY)[0] == max(BLIND_SCORE, as_it_is)
    weak = Evidence(judged([0.7] * 30, [0.7] * 20), NONE, 80)
    assert decide_one(weak, IDENTITY, unreached=0)[0] < BLIND_SCORE
    threshold, figures = decide_one(weak, IDENTITY)
    assert (threshold, figures["reached"], figures["finds"]) == (BLIND_SCORE, False, 0)


def test_a_class_without_any_find_has_a_high_threshold() -> None:
    point, figures = decide({"card": Evidence(NONE, NONE, 0)})
    assert point.thresholds["card"] >= 0.8
    assert not figures["card"]["reached"]
    assert math.isnan(figures["card"]["precision"])


def test_the_document_is_plain_yaml_with_what_the_manifest_needs() -> None:
    point, figures = decide({"card": Evidence(NONE, NONE, 0)})
    content = yaml.safe_load(yaml.safe_dump(document(point, figures, "ab" * 32)))
    assert content["thresholds"] == {"card": 0.8}
    assert set(content["calibration"]["card"]) == {"scale", "offset"}
    assert content["unverified"] == content["not_reached"] == ["card"]
    assert content["evidence"]["card"]["precision"] is None


def test_classes_are_judged_only_where_they_are_labelled() -> None:
    real = PictureSet("real", (picture({"phone": labelled(A)}),), frozenset({"phone"}))
    scenes = PictureSet("scenes", (picture(),), frozenset({"phone"}))
    seen = [found(("paper", FAR, 0.9), ("phone", A, 0.8))]
    evidence = gather(("phone", "paper"), (real, seen), (scenes, seen), {"phone": 7})
    assert evidence["phone"].real.shown(0.5) == (1, 1)
    assert evidence["phone"].rendered.shown(0.5) == (1, 0)
    assert evidence["paper"].real.shown(0.5) == (1, 0)
    assert evidence["paper"].rendered.pictures == 0
    assert (evidence["phone"].verifiable, evidence["paper"].verifiable) == (7, 0)
