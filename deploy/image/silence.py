"""A box is deaf: neither sound modules nor Bluetooth, which carries sound, are in its image."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from image.errors import ImageError
from image.tools import Tools

#: Folders of a kernel's modules.
_FOLDERS = ("kernel/sound/", "kernel/drivers/bluetooth/", "kernel/net/bluetooth/")


def remove_sound(root: Path, tools: Tools) -> None:
    """Remove all modules of sound, and every module that needs one.

    Raises:
        ImageError: If the root has no kernel, or some are left.
    """
    for kernel in modules(root):
        for name in sorted(noisy(dependencies(kernel / "modules.dep"))):
            (kernel / name).unlink()
        tools.run("depmod", "-b", tools.seen(root), kernel.name)
        if left := noisy(dependencies(kernel / "modules.dep")):
            raise ImageError(f"{kernel}: sound modules are left: {sorted(left)[:5]}")


def modules(root: Path) -> list[Path]:
    """Return the folder of modules of each kernel.

    Raises:
        ImageError: If there is none.
    """
    found = sorted(path.parent for path in (root / "usr/lib/modules").glob("*/modules.dep"))
    if not found:
        raise ImageError(f"{root}: no kernel modules")
    return found


def dependencies(path: Path) -> dict[str, list[str]]:
    """Return what each module needs, directly or not, as `depmod` found it."""
    pairs = (line.split(":", 1) for line in path.read_text(encoding="ascii").splitlines())
    return {name: needs.split() for name, needs in pairs}


def noisy(needs: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the modules that are of sound, or cannot be loaded without."""
    return {
        name
        for name, others in needs.items()
        if any(one.startswith(_FOLDERS) for one in (name, *others))
    }
