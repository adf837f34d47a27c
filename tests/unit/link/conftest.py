from collections.abc import Iterator

import pytest

from tests.unit.link import make


@pytest.fixture(autouse=True)
def _close_what_was_opened() -> Iterator[None]:
    yield
    while make.OPENED:
        make.OPENED.pop().close()
