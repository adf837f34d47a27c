"""Drawn scenes are possible desks, and the same ones each time."""

import pickle

import numpy as np
import pytest

from models.scenes.arrange import Desks, draw_scene
from models.scenes.classes import CLASSES
from models.scenes.geometry import slab
from models.scenes.layout import Layout
from models.scenes.thing import Part, Placed, Surface, Thing


def block(width: float, length: float, support: float = 0.0) -> Thing:
    part = Part(slab(width, length, 0.01), Surface())
    return Thing("block", "", (part,), (width, length), support)


def test_a_seed_and_number_always_give_the_same_scene() -> None:
    assert pickle.dumps(draw_scene(3, 8)) == pickle.dumps(draw_scene(3, 8))
    assert pickle.dumps(draw_scene(3, 8)) != pickle.dumps(draw_scene(4, 8))


def beside(placed: Placed, size: tuple[float, float]) -> bool:
    return abs(placed.x) > size[0] / 2 + 0.1 or abs(placed.y) > size[1] / 2 + 0.1


@pytest.mark.parametrize("index", range(6))
def test_things_stand_on_the_desk_before_the_camera(index: int) -> None:
    scene = draw_scene(5, index)
    width, depth = scene.room.size
    right, left, back, front = scene.room.walls
    for placed in scene.things:
        if placed.thing.name == "hand" or beside(placed, scene.room.size):
            continue
        assert abs(placed.x) <= width / 2
        assert abs(placed.y) <= depth / 2
        assert placed.points()[:, 2].min() > -0.006
    assert {placed.thing.label for placed in scene.things} <= {"", *CLASSES}
    assert len(scene.things) < 255  # a picture of numbers holds no more
    assert -left < scene.camera.eye[0] < right
    assert -front < scene.camera.eye[1] < back
    assert 0.1 < scene.gain() < 20


def test_all_classes_but_person_turn_up() -> None:
    seen = {placed.thing.label for i in range(40) for placed in draw_scene(6, i).things}
    assert seen - {""} == set(CLASSES) - {"person"}


def test_some_desks_hold_nothing_that_has_a_class() -> None:
    scenes = [draw_scene(6, i) for i in range(40)]
    bare = sum(not any(placed.thing.label for placed in scene.things) for scene in scenes)
    assert 1 <= bare <= 10


@pytest.mark.parametrize("seed", [6, 7])
def test_desks_of_doubles_hold_mostly_what_is_mistaken(seed: int) -> None:
    def share_of_doubles(desks: Desks) -> float:
        labels = [
            placed.thing.label
            for scene in (draw_scene(seed, i, desks) for i in range(20))
            for placed in scene.things
            if placed.thing.name != "hand" and not beside(placed, scene.room.size)
        ]
        real = labels.count("paper") + labels.count("phone")
        doubles = sum(labels.count(name) for name in ("notebook", "tablet", "card", ""))
        return doubles / (real + doubles)

    assert share_of_doubles(Desks.EVERYDAY) < 0.6 < share_of_doubles(Desks.DOUBLES) < 0.9


def test_two_things_never_share_a_place() -> None:
    layout = Layout((1.0, 0.6))
    assert layout.put(block(0.2, 0.2), 0, 0, 0) is not None
    assert layout.put(block(0.2, 0.2), 0.15, 0.0, 45) is None
    assert layout.put(block(0.2, 0.2), 0.3, 0.0, 0) is not None


def test_nothing_hangs_over_the_edge() -> None:
    layout = Layout((1.0, 0.6))
    assert layout.put(block(0.2, 0.1), 0.45, 0, 0) is None
    assert layout.put(block(0.2, 0.1), 0.44, 0, 90) is not None


def test_a_thing_lies_on_a_flat_one_but_not_half_beside_a_thick_one() -> None:
    layout = Layout((1.0, 0.6))
    layout.put(block(0.3, 0.3, support=0.02), 0, 0, 0)
    assert layout.put(block(0.1, 0.1), 0.15, 0, 0) is None
    upper = layout.put(block(0.1, 0.1), 0.05, 0, 0)
    assert isinstance(upper, Placed)
    assert upper.z == pytest.approx(0.02)


def test_scattering_gives_up_when_there_is_no_room() -> None:
    layout = Layout((0.3, 0.3))
    layout.put(block(0.29, 0.29), 0, 0, 0)
    assert layout.scatter(np.random.default_rng(1), block(0.1, 0.1), lambda: 0.0) is None
