"""Tests on a booted Debian; they need root, and the programs that `make` installs for them."""

import os
import shutil

import pytest

PROGRAMS = ("mmdebstrap", "systemd-nspawn", "nsenter")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    reason = f"not here: {', '.join(missing)}" if missing else "systemd-nspawn needs root"
    if missing or os.geteuid() != 0:
        for item in items:
            if "tests/image/" in str(item.path):
                item.add_marker(pytest.mark.skip(reason=reason))
    for item in items:
        if "tests/image/" in str(item.path):
            item.add_marker(pytest.mark.timeout(1200))  # the first one may have to make the root
