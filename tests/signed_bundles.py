"""Small bundles, made and signed by RAUC as `make bundle` does, for tests of all sides."""

import random
import shutil
from pathlib import Path

import pytest

from image import updates
from tests.signer import Signer

needs_rauc = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("rauc", "mksquashfs", "openssl")),
    reason="apt install rauc squashfs-tools openssl",
)


def a_bundle(
    folder: Path,
    version: str,
    signer: Signer,
    *,
    kib: int = 100,
    compatible: str = updates.COMPATIBLE,
) -> Path:
    """Make a signed bundle.

    Args:
        folder: Where; it is made here.
        version: Of what is in it.
        signer: Who signs.
        kib: Of what is in it, which cannot be made smaller.
        compatible: The kind of box.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slot, product = folder / f"slot-{version}", folder / f"{version}.raucb"
    slot.write_bytes(random.Random(version).randbytes(kib * 1024))
    updates.bundle(slot, version, signer.cert, str(signer.key), product, compatible=compatible)
    slot.unlink()
    return product
