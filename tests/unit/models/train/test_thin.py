"""A convolution in two halves says nearly what it said, and by how much it differs is known."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is in the extra `train` only")

from models.train import graph
from models.train.quantise import stays_float
from models.train.thin import RANKS, Said, halves, second_of, split

START = Path(__file__).resolve().parents[5] / "shared" / "teachers" / "nanodet_plus_m_416.onnx"
CHANNELS, READ = 12, 20


def said_of(maps: np.ndarray) -> Said:
    said = Said()
    for part in np.array_split(maps, 3):
        said.add(part)
    return said


def apply(weight: np.ndarray, bias: np.ndarray, maps: np.ndarray) -> np.ndarray:
    said = np.einsum("nm,bmhw->bnhw", weight[:, :, 0, 0], maps) + bias[:, None, None]
    return np.asarray(said)


def of_few_directions(rng: np.random.Generator, rank: int) -> tuple[np.ndarray, ...]:
    """A convolution, and maps of which it says what `rank` numbers can say."""
    weight = rng.normal(size=(CHANNELS, READ, 1, 1)).astype(np.float32)
    bias = rng.normal(size=CHANNELS).astype(np.float32)
    mixed = np.einsum(
        "mk,bkhw->bmhw", rng.normal(size=(READ, rank)), rng.normal(size=(6, rank, 5, 4))
    )
    maps = (mixed + rng.normal(size=(READ, 1, 1))).astype(np.float32)
    return weight, bias, maps


def test_what_varies_in_few_directions_passes_through_as_few_channels() -> None:
    weight, bias, maps = of_few_directions(np.random.default_rng(0), 3)
    wanted = apply(weight, bias, maps)
    said = said_of(wanted.astype(np.float32))
    narrow, low, widen, high = halves(weight, bias, said.directions(3), said.mean())
    assert narrow.shape == (3, READ, 1, 1)
    assert widen.shape == (CHANNELS, 3, 1, 1)
    got = apply(widen, high, apply(narrow, low, maps))
    assert np.abs(wanted).max() > 1
    assert np.allclose(got, wanted, atol=1e-4)

    narrow, low, widen, high = halves(weight, bias, said.directions(2), said.mean())
    assert not np.allclose(apply(widen, high, apply(narrow, low, maps)), wanted, atol=0.1)


def test_directions_are_those_of_most_variance_whatever_the_mean() -> None:
    rng = np.random.default_rng(1)
    strength = np.array([1.0, 5.0, 2.0, 0.1])
    maps = rng.normal(size=(30, 4, 8, 8)) * strength[:, None, None] + np.array([[[9.0]]] * 4)
    said = said_of(maps.astype(np.float32))
    assert said.mean() == pytest.approx([9] * 4, abs=0.4)
    found = said.directions(2)
    assert np.abs(found).argmax(0).tolist() == [1, 2]
    assert np.allclose(found.T @ found, np.eye(2), atol=1e-6)


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
def test_the_thin_branch_has_both_halves_and_no_other_convolution_of_their_names() -> None:
    coco = graph.load(START)
    branch = graph.thin_branch_of(coco)
    weights = graph.conv_weights(branch)
    names = [n.name for n in branch.graph.node]
    assert len(names) == len(set(names))
    for name, rank in RANKS.items():
        assert weights[f"{name}.weight"].shape[0] == weights[f"{second_of(name)}.weight"].shape[1]
        assert weights[f"{name}.weight"].shape[0] == rank
        assert not stays_float(f"b.{name}")
        assert not stays_float(f"b.{second_of(name)}")


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
def test_split_by_its_weights_it_is_the_best_approximation_of_so_many_channels() -> None:
    coco = graph.load(START)
    whole, thin = (
        graph.conv_weights(branch) for branch in (graph.branch_of(coco), graph.thin_branch_of(coco))
    )
    for name, rank in RANKS.items():
        weight, bias = whole[f"{name}.weight"][..., 0, 0], whole[f"{name}.bias"]
        narrow, widen = (thin[f"{half}.weight"][..., 0, 0] for half in (name, second_of(name)))
        strength = np.linalg.svd(weight, compute_uv=False)
        lost = np.linalg.norm(weight - widen @ narrow)
        assert lost == pytest.approx(np.linalg.norm(strength[rank:]), rel=1e-4)
        said = widen @ thin[f"{name}.bias"] + thin[f"{second_of(name)}.bias"]
        assert np.allclose(said, bias, atol=1e-6)


def test_with_all_channels_nothing_is_lost() -> None:
    rng = np.random.default_rng(3)
    weight, bias, maps = of_few_directions(rng, READ)
    every, _ = np.linalg.qr(rng.normal(size=(CHANNELS, CHANNELS)))
    narrow, low, widen, high = halves(weight, bias, every, rng.normal(size=CHANNELS))
    assert np.allclose(widen[..., 0, 0] @ narrow[..., 0, 0], weight[..., 0, 0], atol=1e-5)
    again = apply(widen, high, apply(narrow, low, maps))
    assert np.allclose(again, apply(weight, bias, maps), atol=1e-3)


@pytest.mark.skipif(not START.is_file(), reason="the starting weights are not in ../shared")
def test_a_split_whole_branch_fits_the_thin_one_and_keeps_all_else() -> None:
    coco = graph.load(START)
    whole = graph.conv_weights(graph.branch_of(coco))
    rng = np.random.default_rng(2)
    said = {
        name: said_of(rng.normal(size=(3, len(whole[f"{name}.bias"]), 16, 16)).astype(np.float32))
        for name in RANKS
    }
    thin = split(whole, said)
    graph.write_weights(graph.thin_branch_of(coco), thin)  # complains of names and shapes
    for name, value in whole.items():
        if name.split(".")[0] not in RANKS:
            assert np.array_equal(thin[name], value)
