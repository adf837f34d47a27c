"""Weights: only those that the manifest vouches for run, and what runs is what they say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cleandesk.detector import Manifest, ModelError, Weights, read_manifest
from cleandesk.detector.runtime import onnxruntime as ort
from cleandesk.detector.session import Session

Write = Callable[..., Path]


def load(manifest: Manifest) -> Session:
    weights = Weights("fp32", manifest.file, manifest.sha256, "the test wants it")
    return Session(manifest, weights, threads=1)


def test_it_gives_what_onnxruntime_gives_for_each_input(desk: Manifest) -> None:
    session = load(desk)
    plain = ort.InferenceSession(desk.file, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(7)
    for _ in range(3):
        session.inputs[0][:] = rng.standard_normal(desk.input_shape, np.float32)
        (expected,) = plain.run(None, {plain.get_inputs()[0].name: session.inputs[0].copy()})
        np.testing.assert_allclose(session.run(), expected, atol=1e-5)


def test_missing_weights_are_named(write: Write, tmp_path: Path) -> None:
    manifest = read_manifest(write(file="gone.onnx"))
    with pytest.raises(ModelError, match="cannot be read") as caught:
        load(manifest)
    assert caught.value.place == tmp_path / "gone.onnx"
    assert "install the model" in caught.value.fix


def test_one_changed_byte_is_refused(write: Write, desk: Manifest) -> None:
    weights = bytearray(desk.file.read_bytes())
    weights[len(weights) // 2] ^= 1
    manifest = read_manifest(write(weights=bytes(weights), sha256=desk.sha256))
    with pytest.raises(ModelError, match=f"the manifest says {desk.sha256}"):
        load(manifest)


@pytest.mark.parametrize("weights", [b"", b"not a model at all", b"\x08\x07" * 40])
def test_what_is_no_model_is_refused(write: Write, weights: bytes) -> None:
    with pytest.raises(ModelError, match="is it an ONNX model"):
        load(read_manifest(write(weights=weights)))


def test_half_a_model_is_refused(write: Write, desk: Manifest) -> None:
    weights = desk.file.read_bytes()
    with pytest.raises(ModelError, match="is it an ONNX model"):
        load(read_manifest(write(weights=weights[: len(weights) // 2])))


def test_a_model_of_other_classes_is_refused(write: Write, desk: Manifest) -> None:
    manifest = read_manifest(write(classes=[*desk.classes, "stapler"]))
    wide = len(desk.classes) + 32
    with pytest.raises(ModelError, match=rf"the output is .*{wide}.*\(float\) .*{wide + 1}"):
        load(manifest)


def test_a_model_of_other_strides_is_refused(write: Write) -> None:
    with pytest.raises(ModelError, match="the output is"):
        load(read_manifest(write(strides=[8, 16, 32])))


def test_a_model_of_another_size_is_refused(write: Write, desk: Manifest) -> None:
    spec = desk.input.model_dump() | {"width": 320}
    with pytest.raises(ModelError, match="the input is"):
        load(read_manifest(write(input=spec)))


def test_filling_one_input_changes_nothing_of_the_other(desk: Manifest) -> None:
    session = load(desk)
    rng = np.random.default_rng(8)
    for tensor in session.inputs:
        tensor[:] = rng.standard_normal(desk.input_shape, np.float32)
    one, two = (session.run(place).copy() for place in (0, 1))
    assert np.abs(one - two).max() > 0.01
    session.inputs[1][:] = 0
    np.testing.assert_array_equal(session.run(0), one)
