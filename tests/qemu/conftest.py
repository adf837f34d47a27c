"""The built image in QEMU: minutes a boot, so it is asked for by `make image-test`."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.qemu.claimed import Claimed, claimed_box
from tests.qemu.machine import NEEDED, UBOOT

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in NEEDED if shutil.which(name, path=_PATH) is None]
    missing += [] if UBOOT.exists() else ["u-boot-qemu"]
    ours = [item for item in items if "tests/qemu/" in str(item.path)]
    if "IMAGE" not in os.environ:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason="`make image-test` runs it"))
    elif ours and missing:
        raise pytest.UsageError(f"not here: {', '.join(missing)}: `make image-test` installs them")


@pytest.fixture(scope="session")
def image() -> Path:
    """Return what `make image` built."""
    path = Path(os.environ["IMAGE"])
    assert path.exists(), f"{path}: run `make image` first"
    return path


@pytest.fixture(scope="session")
def claimed(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Claimed]:
    """Return a box that was claimed."""
    with claimed_box(image, tmp_path_factory.mktemp("claimed")) as made:
        yield made
