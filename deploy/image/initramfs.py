"""The initramfs: every module that it takes to find the root slot is in the kernel."""

from pathlib import Path

from image import silence
from image.debian import HERE
from image.errors import ImageError

_LIST = HERE / "initramfs" / "modules"
#: In the name of the Raspberry Pi's own kernel, which has its drivers built in, by other names.
_RASPBERRY = "rpi"


def check(root: Path, wanted: Path = _LIST) -> None:
    """Make sure that Debian's kernel, if it is a root's, has all that is listed.

    The initramfs's own tools pass over a name that the kernel does not know.

    Args:
        root: With one kernel.
        wanted: Names of modules, one a line.

    Raises:
        ImageError: If it lacks one.
    """
    lines = wanted.read_text(encoding="utf-8").splitlines()
    names = {line for line in lines if line and not line.startswith("#")}
    for kernel in silence.modules(root):
        missing = sorted(names - _has(kernel))
        if missing and _RASPBERRY not in kernel.name:
            raise ImageError(
                f"{wanted}: {kernel.name} has no {', '.join(missing)}: the root slot might not be "
                "found; what are they called there?"
            )


def _has(kernel: Path) -> set[str]:
    """Return the names of a kernel's modules, and of what is built into it."""
    built_in = (kernel / "modules.builtin").read_text(encoding="ascii").splitlines()
    paths = [*silence.dependencies(kernel / "modules.dep"), *built_in]
    return {Path(path).name.partition(".ko")[0].replace("-", "_") for path in paths}
