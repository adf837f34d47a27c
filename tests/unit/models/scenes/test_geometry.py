"""Meshes are whole bodies of the size that was asked for."""

from collections import Counter

import numpy as np
import pytest

from models.scenes.camera import Camera
from models.scenes.geometry import Mesh, dome, joined, lathe, rotation, sheet, slab, tube


def open_edges(mesh: Mesh) -> int:
    """How many edges do not join exactly two faces, corners at one spot taken as one."""
    spots: dict[tuple[float, ...], int] = {}
    names = [spots.setdefault(tuple(np.round(v, 9)), len(spots)) for v in mesh.vertices]
    edges: Counter[frozenset[int]] = Counter()
    for face in mesh.faces:
        for a, b in zip(face, (*face[1:], face[0]), strict=True):
            if names[a] != names[b]:
                edges[frozenset((names[a], names[b]))] += 1
    return sum(count != 2 for count in edges.values())


def test_a_slab_is_closed_and_has_its_size() -> None:
    mesh = slab(0.07, 0.15, 0.008, 0.01, 0.001)
    assert open_edges(mesh) == 0
    assert np.ptp(mesh.vertices, axis=0) == pytest.approx([0.07, 0.15, 0.008])
    assert mesh.vertices[:, 2].min() == pytest.approx(0)


def test_a_profile_from_axis_to_axis_turns_into_a_closed_body() -> None:
    assert open_edges(lathe([(0, 0), (0.03, 0), (0.03, 0.1), (0, 0.1)], 16)) == 0


def test_a_tube_keeps_its_radius_along_a_bent_path() -> None:
    t = np.linspace(0, 3, 40)
    path = np.column_stack([np.cos(t), np.sin(t), t])
    mesh = tube(path, 0.05, 8)
    rings = mesh.vertices.reshape(40, 8, 3)
    assert np.linalg.norm(rings - path[:, None], axis=2) == pytest.approx(0.05)


def test_a_sheets_texture_runs_once_over_it() -> None:
    mesh = sheet(0.2, 0.3, lambda u, v: 0.01 * u * v)
    assert mesh.uv.min(axis=0) == pytest.approx([0, 0])
    assert mesh.uv.max(axis=0) == pytest.approx([1, 1])
    assert mesh.vertices[:, 2].max() == pytest.approx(0.01)


def test_a_dome_narrows_upward() -> None:
    mesh = dome(0.06, 0.1, 0.03)
    widths = [np.ptp(ring[:, 0]) for ring in mesh.vertices.reshape(-1, 24, 3)]
    assert widths == sorted(widths, reverse=True)


def test_joined_meshes_keep_their_own_corners() -> None:
    first, second = slab(1, 1, 1), slab(2, 2, 2).moved(x=5)
    both = joined([first, second])
    assert len(both.faces) == len(first.faces) + len(second.faces)
    last = both.vertices[list(both.faces[-1])]
    assert last == pytest.approx(second.vertices[list(second.faces[-1])])


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_four_quarter_turns_are_none(axis: str) -> None:
    quarter = rotation(axis, 90)
    assert np.linalg.matrix_power(quarter, 4) == pytest.approx(np.eye(3))
    assert np.linalg.det(quarter) == pytest.approx(1)


def test_the_camera_sees_its_target_in_the_middle_and_its_field_of_view_at_the_edge() -> None:
    camera = Camera((0.2, -0.8, 0.9), (0.1, 0.1, 0.0), 60)
    pixels, depth = camera.project(np.array([camera.target]), (640, 480))
    assert pixels[0] == pytest.approx([320, 240])
    right, _, back = camera.axes()
    edge = np.array(camera.eye) - back + right * np.tan(np.radians(30))
    assert camera.project(edge[None], (640, 480))[0][0] == pytest.approx([640, 240])
    assert depth[0] > 0


def test_what_lies_behind_the_camera_has_no_depth() -> None:
    camera = Camera((0, -1, 1), (0, 0, 0), 60)
    assert camera.project(np.array([[0.0, -3.0, 2.0]]), (640, 480))[1][0] < 0
