"""The card's update: installed once, refused with a reason, tried again only after a power cut."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cleandesk.contract.bundle import Bundle, UpdateError, Version
from cleandesk.update import health, told
from cleandesk.update.drop import BUNDLE
from cleandesk.update.install import REFUSED, RESULT, SETTLE_S, Outcome, install
from cleandesk.update.system import System, judge
from cleandesk.update.told import Step
from cleandesk.update.tries import MOST
from cleandesk.watchdog import NAME, CameraWord, Word
from tests.unit.update.make import WELL, Card, Rauc


def test_an_update_is_installed_once_and_what_was_healthy_is_kept(card: Card) -> None:
    card.word(WELL)
    rauc = Rauc()
    assert card.install(rauc) is Outcome.INSTALLED
    assert rauc.asked == ["info", "install"]
    assert health.demanded(card.places.before) == WELL
    assert "0.1.300" in card.said
    assert card.install(rauc) is Outcome.NONE
    assert rauc.asked == ["info", "install"]


def test_what_runs_already_is_taken_off_the_card(card: Card) -> None:
    rauc = Rauc("0.1.200")
    assert card.install(rauc) is Outcome.SAME
    assert rauc.asked == ["info"]
    assert not (card.places.card / BUNDLE).exists()


@pytest.mark.parametrize(
    ("rauc", "told"),
    [
        (Rauc("0.1.199"), "older than 0.1.200"),
        (Rauc("0.0.900"), "older"),
        (Rauc(compatible="oven"), "'oven'"),
        (Rauc("latest"), "no version"),
    ],
)
def test_what_must_not_be_installed_is_set_aside_with_the_reason(
    card: Card, rauc: Rauc, told: str
) -> None:
    with pytest.raises(UpdateError, match=told):
        card.install(rauc)
    assert rauc.asked == ["info"]
    assert (card.places.card / REFUSED).exists()
    assert not (card.places.card / BUNDLE).exists()
    assert told in card.said


@pytest.mark.parametrize("fails_at", ["info", "install"])
def test_what_rauc_refuses_is_set_aside_in_its_words(card: Card, fails_at: str) -> None:
    card.word(WELL)
    rauc = Rauc()
    rauc.fails_at = fails_at
    with pytest.raises(UpdateError):
        card.install(rauc)
    assert "bad block 17" in card.said
    assert not (card.places.card / BUNDLE).exists()


class PowerCutError(BaseException):
    """The machine is gone."""


class Cut(Rauc):
    """Is cut off whenever it installs."""

    def __call__(self, words: Sequence[str]) -> str:
        said = super().__call__(words)
        if "install" in words:
            raise PowerCutError
        return said


@pytest.mark.parametrize("by_network", [False, True])
def test_a_power_cut_within_leaves_the_update_where_it_was(card: Card, *, by_network: bool) -> None:
    if by_network:
        card.fetched()
    card.word(WELL)
    with pytest.raises(PowerCutError):
        card.install(Cut())
    assert card.told.step is Step.INSTALLING
    assert card.install(Rauc()) is Outcome.INSTALLED


def test_what_takes_the_machine_down_each_time_is_given_up_and_may_be_sent_again(
    card: Card,
) -> None:
    bundle = card.places.fetched / BUNDLE
    card.fetched()
    card.word(WELL)
    for _ in range(MOST):
        with pytest.raises(PowerCutError):
            card.install(Cut())
        assert bundle.exists()
    rauc = Cut()
    with pytest.raises(UpdateError, match="went down 3 times"):
        card.install(rauc)
    assert rauc.asked == ["info"]
    assert not bundle.exists()
    assert "went down 3 times" in str(card.told.lost)
    bundle.touch()
    with pytest.raises(PowerCutError):
        card.install(Cut())
    bundle.write_bytes(b"other")
    assert card.install(Rauc("0.1.400")) is Outcome.INSTALLED, "each is counted by itself"


@pytest.mark.parametrize("content", [b"", b"half"])
def test_a_count_that_nobody_can_read_keeps_no_update_away(card: Card, content: bytes) -> None:
    (card.places.kept / "tries").write_bytes(content)
    card.word(WELL)
    assert card.install(Rauc()) is Outcome.INSTALLED
    assert not (card.places.kept / "tries").exists()


@pytest.mark.parametrize("by_network", [False, True])
def test_a_disk_that_takes_nothing_ends_it_with_a_word(card: Card, *, by_network: bool) -> None:
    if by_network:
        card.fetched()
    card.word(WELL)
    card.places.before.mkdir()  # which nothing takes the place of
    rauc = Rauc()
    with pytest.raises(OSError, match="directory"):
        card.install(rauc)
    assert rauc.asked == ["info"]
    assert (card.told.step, str(card.told.lost)) == (
        Step.REFUSED,
        "0.1.300: refused: disk: is a directory",
    )
    assert not any((folder / BUNDLE).exists() for folder in (card.places.card, card.places.fetched))


def test_what_is_installed_is_tried_though_its_bundle_cannot_be_taken_away(card: Card) -> None:
    (card.places.card / RESULT).mkdir()
    card.word(WELL)
    assert card.install(Rauc()) is Outcome.INSTALLED
    assert card.told.step is Step.INSTALLED
    assert (card.places.card / BUNDLE).exists()


def test_what_the_box_fetched_is_installed_told_of_and_taken_away(card: Card) -> None:
    card.fetched()
    card.word(WELL)
    seen: list[Step] = []

    def rauc(words: Sequence[str]) -> str:
        if "install" in words:
            assert words[-1] == str(card.places.fetched / BUNDLE)
            seen.append(card.told.step)
        return Rauc()(words)

    assert install(card.places, system=card._system, run=rauc) is Outcome.INSTALLED
    assert seen == [Step.INSTALLING]
    assert (card.told.step, card.told.version, card.told.lost) == (Step.INSTALLED, "0.1.300", None)
    assert (card.places.kept / told.NAME).stat().st_mode & 0o777 == 0o644, "the box reads it"
    for folder in (card.places.fetched, card.places.card):
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("fails_at", ["info", "install"])
def test_what_the_box_fetched_and_is_refused_makes_room_and_is_told_of(
    card: Card, fails_at: str
) -> None:
    card.fetched()
    card.word(WELL)
    rauc = Rauc()
    rauc.fails_at = fails_at
    with pytest.raises(UpdateError):
        card.install(rauc)
    assert list(card.places.fetched.iterdir()) == []
    assert list(card.places.card.iterdir()) == []
    lost = card.told.lost
    assert lost is not None
    version = None if fails_at == "info" else "0.1.300"
    assert (card.told.step, lost.version, lost.left) == (Step.REFUSED, version, False)
    assert "bad block 17" in str(lost)


def test_the_cards_goes_first_and_the_other_one_is_not_forgotten(card: Card) -> None:
    (card.places.fetched / BUNDLE).write_bytes(b"other")
    card.word(WELL)
    card.install(Rauc("0.1.400"))
    assert not (card.places.card / BUNDLE).exists()
    assert (card.places.fetched / BUNDLE).exists()
    with pytest.raises(UpdateError, match="older"):
        card.install(Rauc("0.1.100"))
    assert list(card.places.fetched.iterdir()) == []


def test_what_cannot_be_told_keeps_no_update_away(card: Card) -> None:
    (card.places.kept / told.NAME).mkdir()  # which nothing takes the place of
    card.word(WELL)
    assert card.install(Rauc()) is Outcome.INSTALLED
    assert told.read(card.places.kept) is None


def test_a_box_that_has_just_been_started_gets_time_to_get_healthy(card: Card) -> None:
    card.word(Word(CameraWord.FAILS, link=False))

    def heal(seconds: float) -> None:
        card.now += seconds
        if card.now >= SETTLE_S / 2:
            card.word(WELL)

    card.pause = heal  # type: ignore[method-assign]
    card.install(Rauc())
    assert health.demanded(card.places.before) == WELL
    assert card.now < SETTLE_S


def test_what_does_not_get_healthy_is_not_demanded_later(card: Card) -> None:
    broken = Word(CameraWord.FAILS, link=True)
    card.word(broken)
    card.install(Rauc())
    assert health.demanded(card.places.before) == broken
    assert card.now >= SETTLE_S


@pytest.mark.parametrize("speaks_s", [10.0, SETTLE_S - 20])
def test_a_box_that_is_just_started_anew_is_judged_by_its_last_word(
    card: Card, speaks_s: float
) -> None:
    broken = Word(CameraWord.FAILS, link=True)
    card.word(broken)

    def end(seconds: float) -> None:
        card.now += seconds
        if card.now >= speaks_s:
            (card.places.box / NAME).unlink(missing_ok=True)

    card.pause = end  # type: ignore[method-assign]
    card.install(Rauc())
    assert health.demanded(card.places.before) == broken


def test_of_a_box_that_says_nothing_in_all_that_time_nothing_is_demanded(card: Card) -> None:
    card.install(Rauc())
    assert card.now >= SETTLE_S
    assert health.demanded(card.places.before) is None


@pytest.mark.parametrize("by_network", [False, True])
def test_the_line_that_an_update_came_by_is_demanded_though_it_is_down_just_now(
    card: Card, *, by_network: bool
) -> None:
    if by_network:
        card.fetched()
    card.word(Word(CameraWord.WORKS, link=False))
    card.install(Rauc())
    demand = health.demanded(card.places.before)
    assert demand == Word(CameraWord.WORKS, link=by_network)
    assert (health.lacks(demand, Word(CameraWord.WORKS, link=False), runs=True) == []) != by_network


def test_in_a_break_it_is_kept_that_the_camera_worked_before_it(card: Card) -> None:
    card.word(Word(CameraWord.RESTS, link=True))
    card.install(Rauc())
    assert health.demanded(card.places.before) == WELL
    assert card.now == 0


def test_a_machine_that_nobody_has_claimed_is_not_waited_for(card: Card) -> None:
    card.places.settings.unlink()
    card.install(Rauc())
    assert card.now == 0
    assert health.demanded(card.places.before) is None


def test_an_image_that_takes_no_updates_says_so(tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="takes no updates"):
        System.read(tmp_path / "system.conf")


def test_versions_are_compared_as_numbers() -> None:
    system = System("box", Version(0, 1, 1764380000))
    assert judge(Bundle("box", Version.parse("0.1.10764380000")), system)
    assert judge(Bundle("box", Version.parse("0.10.1")), system)
    assert not judge(Bundle("box", Version.parse("0.1.1764380000")), system)
