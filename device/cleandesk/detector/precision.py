"""Which of a model's files this machine runs: int8 pays only where bytes are multiplied fast.

Without dot-product instructions int8 is slower than fp32, and on x86 less exact too: the older
instructions add up products of bytes in 16 bits, and what does not fit is cut off.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cleandesk.detector.errors import ModelError
from cleandesk.detector.manifest import Manifest, Precision

#: What the settings may ask for.
Wanted = Literal["auto", "fp32", "int8"]

_CPUINFO = Path("/proc/cpuinfo")
#: Words of /proc/cpuinfo: AArch64 lists `Features`, x86 `flags`.
_LISTS = ("Features", "flags")
_DOT_PRODUCT = frozenset({"asimddp", "avx512_vnni", "avx_vnni"})


@dataclass(frozen=True, slots=True)
class Weights:
    """The file that is loaded.

    Attributes:
        precision: What its numbers are.
        file: Its path.
        sha256: Its hash.
        why: Why this one, for people.
    """

    precision: Precision
    file: Path
    sha256: str
    why: str


def cpuinfo() -> str:
    """Return what the system says about its processors; nothing where it says nothing."""
    return _CPUINFO.read_text(encoding="utf-8", errors="replace") if _CPUINFO.exists() else ""


def dot_product(text: str) -> str | None:
    """Return the name of the dot-product instructions that every processor has, or None.

    Args:
        text: As in /proc/cpuinfo.

    Example:
        >>> dot_product("Features: fp asimd asimddp")
        'asimddp'
    """
    lines = (line.partition(":") for line in text.splitlines())
    known = [frozenset(words.split()) for key, _, words in lines if key.strip() in _LISTS]
    common = _DOT_PRODUCT.intersection(*known) if known else frozenset()
    return min(common, default=None)


def choose(manifest: Manifest, path: Path, wanted: Wanted, text: str) -> Weights:
    """Choose the file to load.

    Args:
        manifest: Of the model.
        path: Where the manifest lies, for errors.
        wanted: What the settings ask for.
        text: As in /proc/cpuinfo.

    Raises:
        ModelError: If int8 is asked for and the model has none.
    """
    variant = next((v for v in manifest.variants if v.precision == "int8"), None)
    instructions = dot_product(text)
    having = f"this CPU has {instructions}" if instructions else "this CPU has no dot product"
    if variant is None:
        if wanted == "int8":
            raise ModelError(path, "the model has no int8 file", "set detector.precision to auto")
        return _fp32(manifest, "the settings say so" if wanted == "fp32" else "it has no int8 file")
    if wanted == "fp32":
        return _fp32(manifest, f"the settings say so; {having}")
    if wanted == "auto" and not instructions:
        return _fp32(manifest, having)
    why = having if wanted == "auto" else f"the settings say so; {having}"
    return Weights(variant.precision, variant.file, variant.sha256, why)


def _fp32(manifest: Manifest, why: str) -> Weights:
    return Weights("fp32", manifest.file, manifest.sha256, why)
