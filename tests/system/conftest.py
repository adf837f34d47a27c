"""A rig for each test, and no process left behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rig import Rig

MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[MakeRig]:
    """Return a maker of rigs whose broker runs; all is ended after the test."""
    rigs: list[Rig] = []

    def make(**settings: object) -> Rig:
        rig = Rig(tmp_path, **settings)  # type: ignore[arg-type] # handed through as they came
        rigs.append(rig)
        rig.broker.start()
        return rig

    yield make
    for rig in rigs:
        rig.close()
