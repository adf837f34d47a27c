"""How the services begin: what the collector does not do in the midst of their work."""

import gc
from collections.abc import Iterator

import pytest

from cleandesk_fleet.services import collect_seldom

_A_BATCH = 20_000
_MANY = 200_000


@pytest.fixture
def collector() -> Iterator[None]:
    """Leave Python's collector as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def _looks(objects: int) -> int:
    """Return how often it looked for garbage while so many objects were made and kept."""
    looks = 0

    def count(phase: str, _: object) -> None:
        nonlocal looks
        looks += phase == "start"

    gc.collect()
    gc.callbacks.append(count)
    kept = [[number] for number in range(objects)]
    gc.callbacks.remove(count)
    assert len(kept) == objects
    return looks


@pytest.mark.usefixtures("collector")
def test_nobody_looks_for_garbage_in_the_midst_of_a_batch_and_yet_it_is_looked_for() -> None:
    assert _looks(_A_BATCH) > 0
    collect_seldom()
    assert gc.get_freeze_count() > 0, "what was there is looked at no more"
    assert _looks(_A_BATCH) == 0
    assert _looks(_MANY) > 0
