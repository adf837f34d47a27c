"""A card with an update, for the tests of installing, and a slot on trial."""

from pathlib import Path

import pytest

from tests.unit.update.make import Card
from tests.unit.update.trials import Trial


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)
