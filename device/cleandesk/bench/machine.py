"""What the figures were measured on."""

import os
import platform

from cleandesk import __version__
from cleandesk.detector import Detector
from cleandesk.detector.precision import cpuinfo
from cleandesk.detector.runtime import onnxruntime

#: Lines of /proc/cpuinfo that name the processor: x86, the Pi's own, other ARM boards.
_NAMES = ("model name", "Model", "Hardware")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def processor(text: str, fallback: str) -> str:
    """Return the processor's name.

    Args:
        text: What /proc/cpuinfo says.
        fallback: What to say if it names none.
    """
    parts = (line.partition(":") for line in text.splitlines())
    lines = {name.strip(): value.strip() for name, _, value in parts}
    return next((lines[name] for name in _NAMES if lines.get(name)), fallback)


def describe(detector: Detector, *, threads: int) -> dict[str, object]:
    """Return machine, versions and model, for a reader who was not there.

    Args:
        detector: With the model that is measured.
        threads: That inference may use.
    """
    manifest = detector.manifest
    return {
        "cpu": processor(cpuinfo(), platform.machine()),
        "cores": cores(),
        "inference_threads": threads,
        "arch": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "cleandesk": __version__,
        "model": f"{manifest.name} {manifest.version}",
        "input": f"{manifest.input.width}x{manifest.input.height}",
        "precision": detector.weights.precision,
    }
