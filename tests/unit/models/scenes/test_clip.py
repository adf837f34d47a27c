"""The demo clip shows what its truth says, when and where it says so."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from models.scenes import clip_script, clip_set
from models.scenes.classes import CLASSES
from models.scenes.compose import pasted, touched
from models.scenes.truth import Truth, Visit, load_truth

DEMO = Path(__file__).parents[4] / "models" / "demo"
CLIP = DEMO / "desk.mp4"
Frames = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def truth() -> Truth:
    return load_truth(DEMO / "desk.truth.json")


@pytest.fixture(scope="module")
def frames() -> Frames:
    video = cv2.VideoCapture(str(CLIP))
    pictures = []
    while True:
        found, picture = video.read()
        if not found:
            break
        pictures.append(picture)
    video.release()
    return np.array(pictures, np.uint8)


def patch(frames: Frames, visit: Visit, second: float, fps: int) -> npt.NDArray[np.float64]:
    x1, y1, x2, y2 = visit.box
    return frames[round(second * fps), y1:y2, x1:x2].astype(np.float64)


def test_the_clip_is_small_and_as_long_and_large_as_said(truth: Truth, frames: Frames) -> None:
    assert CLIP.stat().st_size < 3_000_000
    assert frames.shape == (truth.frames, truth.size[1], truth.size[0], 3)
    assert 60 <= truth.duration_s <= 75


def test_no_two_frames_in_a_row_are_the_same(frames: Frames) -> None:
    assert all((a != b).any() for a, b in pairwise(frames))


def test_boxes_lie_within_the_picture(truth: Truth) -> None:
    width, height = truth.size
    for x1, y1, x2, y2 in [v.box for v in truth.visits] + [f.box for f in truth.fixtures]:
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height


def test_the_desk_is_clean_at_both_ends(truth: Truth) -> None:
    assert min(visit.from_s for visit in truth.visits) >= 4
    assert max(visit.to_s for visit in truth.visits) <= truth.duration_s - 4


def test_every_stay_outlasts_a_dwell_and_classes_return_only_after_a_pause(truth: Truth) -> None:
    assert len({visit.id for visit in truth.visits}) == len(truth.visits)
    for name in {visit.class_name for visit in truth.visits}:
        stays = sorted((v.from_s, v.to_s) for v in truth.visits if v.class_name == name)
        assert name in CLASSES
        assert all(end - start >= 12 for start, end in stays)
        assert all(later[0] - earlier[1] >= 12 for earlier, later in pairwise(stays))


def test_a_phone_comes_twice_and_each_other_forbidden_thing_once(truth: Truth) -> None:
    names = sorted(visit.class_name for visit in truth.visits)
    assert names == ["cup", "notebook", "paper", "pen", "phone", "phone"]


def test_each_thing_is_seen_in_its_box_only_during_its_stay(truth: Truth, frames: Frames) -> None:
    for visit in truth.visits:
        middle = (visit.from_s + visit.to_s) / 2
        lit = min((c.brightness for c in truth.light if c.at_s <= middle), default=1.0)
        now = patch(frames, visit, middle, truth.fps)
        empty = patch(frames, visit, 1.0, truth.fps)
        gone = patch(frames, visit, truth.duration_s - 1, truth.fps)
        assert np.abs(gone - empty).mean() < 6, visit.id
        if lit == 1.0:
            assert np.abs(now - empty).mean() > 20, visit.id


def test_the_light_falls_to_about_half_while_things_lie_there(truth: Truth, frames: Frames) -> None:
    off, on = truth.light
    before, during, after = (
        float(frames[round(second * truth.fps)].mean())
        for second in (off.at_s - 0.5, off.at_s + 1, on.at_s + 2)
    )
    assert during / before == pytest.approx(off.brightness, abs=0.03)
    assert 0.35 < off.brightness < 0.65
    assert after / before > 0.9
    assert sum(v.from_s < off.at_s < v.to_s for v in truth.visits) >= 2


def test_the_truth_is_what_the_script_says(truth: Truth) -> None:
    said = {(stay.id, stay.from_s, stay.to_s) for stay in clip_script.STAYS}
    assert {(v.id, v.from_s, v.to_s) for v in truth.visits} == said
    assert truth.duration_s == clip_script.DURATION_S


def test_a_hand_puts_each_thing_exactly_where_it_then_rests() -> None:
    for stay in clip_script.STAYS:
        arrival = round(stay.from_s * clip_script.FPS)
        carried = [clip_script.moment(arrival + step).moving[0] for step in (-2, -1)]
        rests = stay.placed()
        steps = [np.hypot(c.x - rests.x, c.y - rests.y) for c in carried]
        assert stay in clip_script.moment(arrival).resting
        assert steps[1] < steps[0] < 0.12
        assert carried[1].z - rests.z < 0.03


def test_a_region_holds_the_thing_and_its_shadow() -> None:
    cup = clip_script.STAYS[3].placed().at(0.0, 0.0, 0.1)
    scene = clip_set.scene((cup,), lamp=True)
    region = touched((cup,), scene, clip_set.SIZE)
    assert region is not None
    pixels, _ = scene.camera.project(cup.points(), clip_set.SIZE)
    assert (pixels.min(axis=0) > region[:2]).all()
    assert (pixels.max(axis=0) < region[2:]).all()
    eye = np.array(scene.lights[0].eye)
    point = cup.points().mean(axis=0)
    shadow = point + (point - eye) * point[2] / (eye[2] - point[2])
    at, _ = scene.camera.project(shadow[None], clip_set.SIZE)
    assert (at[0] > region[:2]).all()
    assert (at[0] < region[2:]).all()


def test_a_pasted_patch_fades_into_the_still_except_at_the_pictures_edge() -> None:
    still = np.zeros((60, 80, 3), np.uint8)
    out = pasted(still, np.full((40, 40, 3), 200, np.uint8), (0, 10, 40, 50))
    assert (out[30, :20] == 200).all()
    assert 0 < out[30, 38, 0] < 200
    assert (out[:10] == 0).all()
    assert (out[:, 40:] == 0).all()


def test_a_truth_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValidationError, match="before it begins"):
        Visit(id="a", class_name="pen", box=(0, 0, 5, 5), from_s=9, to_s=9)
    with pytest.raises(ValidationError, match="empty box"):
        Visit(id="a", class_name="pen", box=(5, 0, 5, 5), from_s=1, to_s=9)
