"""A bundle on the card and a fetched one: the card's goes first, and keeps no other one away."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cleandesk import whole_file
from cleandesk.contract.bundle import UpdateError
from cleandesk.update.drop import BUNDLE
from cleandesk.update.install import REFUSED, RESULT, Outcome
from cleandesk.update.told import Step
from tests.unit.update.make import WELL, Card, Rauc


class Two(Rauc):
    """Says another version of what lies on the card than of what was fetched."""

    def __init__(self, card: Card, version: str, fetched: str) -> None:
        super().__init__(fetched)
        self._card, self._theirs = card.places.card, Rauc(version)
        self.installed: list[str] = []

    def __call__(self, words: Sequence[str]) -> str:
        if "install" in words:
            self.installed.append(words[-1])
        on_card = str(self._card / BUNDLE) in words
        return self._theirs(words) if on_card else super().__call__(words)


@pytest.fixture
def stuck(card: Card, monkeypatch: pytest.MonkeyPatch) -> Card:
    """Return one that takes no writes, with a bundle, and another bundle that was fetched."""

    def read_only(path: Path, *_: object, **__: object) -> None:
        if path.parent == card.places.card:
            raise OSError(30, "Read-only file system")
        path.unlink(missing_ok=True)

    for name in ("remove", "move"):
        monkeypatch.setattr(whole_file, name, read_only)
    (card.places.fetched / BUNDLE).write_bytes(b"other")
    card.word(WELL)
    return card


@pytest.mark.parametrize("version", ["0.1.200", "0.1.100", "latest"])
def test_a_card_that_takes_no_writes_keeps_no_fetched_update_away(
    stuck: Card, version: str
) -> None:
    rauc = Two(stuck, version, "0.1.300")
    assert stuck.install(rauc) is Outcome.INSTALLED
    assert rauc.installed == [str(stuck.places.fetched / BUNDLE)]
    assert (stuck.places.card / BUNDLE).exists()
    assert not (stuck.places.fetched / BUNDLE).exists()
    assert (stuck.told.step, stuck.told.version) == (Step.INSTALLED, "0.1.300")


def test_what_stays_on_such_a_card_is_tried_once_and_not_for_ever(stuck: Card) -> None:
    rauc = Two(stuck, "0.1.400", "0.1.300")
    assert stuck.install(rauc) is Outcome.INSTALLED
    assert rauc.installed == [str(stuck.places.card / BUNDLE)]
    assert stuck.install(rauc) is Outcome.INSTALLED, "it was left, and is not begun with anew"
    assert rauc.installed[1:] == [str(stuck.places.fetched / BUNDLE)]
    with pytest.raises(UpdateError, match="take it off the card"):
        stuck.install(rauc)
    assert len(rauc.installed) == 2


def test_what_stayed_may_be_put_on_a_card_again_that_takes_writes(card: Card) -> None:
    card.word(WELL)
    (card.places.card / RESULT).mkdir()
    assert card.install(Rauc()) is Outcome.INSTALLED
    (card.places.card / RESULT).rmdir()
    with pytest.raises(UpdateError, match="take it off the card"):
        card.install(Rauc())
    (card.places.card / REFUSED).rename(card.places.card / BUNDLE)
    assert card.install(Rauc()) is Outcome.INSTALLED


def test_what_is_refused_on_such_a_card_is_told_where_nothing_else_comes(stuck: Card) -> None:
    (stuck.places.fetched / BUNDLE).unlink()
    with pytest.raises(UpdateError, match="older"):
        stuck.install(Rauc("0.1.100"))
    assert "older" in str(stuck.told.lost)


def test_what_runs_already_is_gone_on_from(card: Card) -> None:
    (card.places.fetched / BUNDLE).write_bytes(b"other")
    card.word(WELL)
    assert card.install(Two(card, "0.1.200", "0.1.300")) is Outcome.INSTALLED
    assert list(card.places.fetched.iterdir()) == []
    assert not (card.places.card / BUNDLE).exists()
