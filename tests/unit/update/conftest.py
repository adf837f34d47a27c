"""A card with an update, for the tests of installing."""

from pathlib import Path

import pytest

from tests.unit.update.make import Card


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)
