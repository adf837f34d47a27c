"""One ONNX model in onnxruntime, with fixed shapes and buffers that are allocated once."""

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleandesk.config import load
from cleandesk.detector.errors import ModelError
from cleandesk.detector.manifest import Manifest
from cleandesk.detector.precision import Weights
from cleandesk.detector.runtime import onnxruntime as ort
from cleandesk.problems import ConfigError

_ERRORS_ONLY = 3
_MAX_BYTES = 512 * 2**20
#: Inputs: one that the model works on, and one that is filled meanwhile.
PLACES = 2
Shape = tuple[int | str | None, ...]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; its files become paths that can be opened.

    Raises:
        ModelError: If it is missing or wrong, with everything that is wrong.
    """
    try:
        return load(path, Manifest)
    except ConfigError as error:
        raise ModelError(path, f"this manifest cannot be used:\n{error}", "correct it") from error


class Session:
    """A model that is ready to run. For one thread at a time.

    Attributes:
        inputs: float32, each the manifest's `input_shape`; one is to be filled before `run`, by any
            thread.
    """

    def __init__(self, manifest: Manifest, weights: Weights, *, threads: int | None = None) -> None:
        """Load a model's weights.

        Args:
            manifest: What they must fit.
            weights: Which of its files.
            threads: Default: all cores that this process may use but one, for the camera.

        Raises:
            ModelError: If they are missing, are others than the manifest says, or do not fit it.
        """
        content = _trusted(weights)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or max(1, len(os.sched_getaffinity(0)) - 1)
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _ERRORS_ONLY
        # One plan for all the model's tensors saves no time and costs 20 MB.
        options.enable_mem_pattern = False
        # Threads that spin between frames cost half a core at 10 frames a second.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own types share no base but this
            raise ModelError(
                weights.file, f"onnxruntime cannot load it ({error})", "is it an ONNX model?"
            ) from error
        shape = _check(manifest, weights.file, self._session)
        self._buffer: NDArray[np.float32] = np.zeros(shape, np.float32)
        as_ours = shape == manifest.output_shape
        self._output = self._buffer if as_ours else self._buffer.transpose(0, 2, 1)
        self.inputs: tuple[NDArray[np.float32], ...] = tuple(
            np.zeros(manifest.input_shape, np.float32) for _ in range(PLACES)
        )
        self._bindings = [self._bind(tensor) for tensor in self.inputs]

    def run(self, place: int = 0) -> NDArray[np.float32]:
        """Run the model on one of `inputs`.

        Returns:
            float32, the manifest's `output_shape`; overwritten by the next call.
        """
        self._session.run_with_iobinding(self._bindings[place])
        return self._output

    def _bind(self, tensor: NDArray[np.float32]) -> ort.IOBinding:
        """Let the model read from and write to our buffers, so that nothing is copied."""
        binding = self._session.io_binding()
        for bind, name, buffer in (
            (binding.bind_input, self._session.get_inputs()[0].name, tensor),
            (binding.bind_output, self._session.get_outputs()[0].name, self._buffer),
        ):
            bind(name, "cpu", 0, np.float32, list(buffer.shape), buffer.ctypes.data)
        return binding


def _trusted(weights: Weights) -> bytes:
    """Return the weights if their hash is right; the bytes that were hashed are those that run."""
    path = weights.file
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        reason = f"the model's weights cannot be read ({error.strerror})"
        raise ModelError(path, reason, "install the model, or name another manifest") from error
    if len(content) > _MAX_BYTES:
        reason = f"the weights are larger than {_MAX_BYTES >> 20} MiB"
        raise ModelError(path, reason, "is this the right file?")
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        reason = f"its sha256 is {found}, the manifest says {weights.sha256}"
        raise ModelError(path, reason, "the file is damaged or another one: install the model anew")
    return content


def _check(manifest: Manifest, file: Path, session: ort.InferenceSession) -> tuple[int, int, int]:
    """Return the shape of the output: the manifest's, or with the points first, as published."""
    one, channels, points = manifest.output_shape
    shapes = ((one, channels, points), (one, points, channels))
    for what, tensors, wanted in (
        ("input", session.get_inputs(), (manifest.input_shape,)),
        ("output", session.get_outputs(), shapes),
    ):
        found = ", ".join(f"{t.type} {t.shape}" for t in tensors)
        if [t.type for t in tensors] != ["tensor(float)"] or tuple(tensors[0].shape) not in wanted:
            raise ModelError(
                file,
                f"the {what} is {found}; the manifest's numbers make "
                f"tensor(float) {list(wanted[0])}",
                "correct the manifest's input, classes, strides or reg_max, or the model",
            )
    return next(shape for shape in shapes if shape == tuple(session.get_outputs()[0].shape))
