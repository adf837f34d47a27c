"""PINs: which are refused, how they are kept, and how long wrong ones make one wait."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract import pin_hash
from cleandesk.page import pins
from cleandesk.page.attempts import LONGEST_S, Attempts, wait_s
from cleandesk.page.entrance import Entrance
from cleandesk.page.errors import PageError
from cleandesk.page.store import Store
from tests.unit.page.conftest import LABEL, OWN, HandClock, Page, send


@pytest.mark.parametrize(
    ("pin", "weakness"),
    [
        ("12345", "length"),
        ("1234567890123", "length"),
        ("12345a", "digits"),
        ("１２３４５６", "digits"),  # noqa: RUF001 - full-width digits, which str.isdigit takes
        ("", "digits"),
        ("111111", "easy"),
        ("123456", "easy"),
        ("890123", "easy"),
        ("987654", "easy"),
        ("135791", "easy"),
        ("121212", "easy"),
        ("123123", "easy"),
        ("112212", "easy"),
        ("739164", None),
        ("582930174653", None),
    ],
)
def test_weak_pins_are_named(pin: str, weakness: str | None) -> None:
    assert pins.weakness(pin) == weakness


@given(st.integers(0, 9), st.integers(0, 9), st.integers(6, 12))
def test_no_row_of_equal_steps_is_taken(first: int, step: int, length: int) -> None:
    assert pins.weakness("".join(str((first + step * i) % 10) for i in range(length))) == "easy"


def test_a_hash_fits_its_pin_and_no_other_and_is_salted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hash, "_N", 2**4)
    known = pin_hash.hashed(OWN)
    assert pin_hash.fits(OWN, known)
    assert not pin_hash.fits(LABEL, known)
    assert OWN not in known
    assert known != pin_hash.hashed(OWN)


def test_the_label_is_kept_as_a_hash_and_never_as_the_pin(tmp_path: Path) -> None:
    file = tmp_path / "label"
    with pytest.raises(PageError, match=r"No such file.*hash-pin"):
        pins.read_label(file)
    file.write_text(LABEL)
    with pytest.raises(PageError, match="is no hash of the label's PIN; write it with") as refused:
        pins.read_label(file)
    assert LABEL not in str(refused.value)
    file.write_text(pin_hash.hashed(LABEL) + "\n")
    assert pin_hash.fits(LABEL, pins.read_label(file))


@given(st.integers(0, 10_000))
def test_waits_grow_and_are_bounded(failures: int) -> None:
    assert 0 <= wait_s(failures) <= wait_s(failures + 1) <= LONGEST_S


def test_the_third_wrong_pin_makes_everybody_wait(page: Page) -> None:
    for _ in range(2):
        assert send(page.reader(), "/sign-in", pin="000000").status_code == 403
    third = send(page.reader(), "/sign-in", pin="000000")
    assert "Try again in 6 s" in third.text
    right = send(page.reader(), "/sign-in", pin=LABEL)
    assert right.status_code == 429
    assert "too many wrong PINs" in right.text
    page.clock.pass_(6)
    assert send(page.reader(), "/sign-in", pin=LABEL).headers["location"] == "/pair"
    assert page.store.failures == 0


def test_who_waits_is_not_counted_again(page: Page) -> None:
    for _ in range(6):
        send(page.reader(), "/sign-in", pin="000000")
    assert page.store.failures == 3


def test_a_restart_does_not_shorten_the_wait(tmp_path: Path) -> None:
    clock = HandClock()
    store = Store(tmp_path / "page.db")
    store.failures = 10
    store.close()
    reopened = Store(tmp_path / "page.db")
    attempts = Attempts(reopened, clock)
    assert attempts.left_s() == wait_s(10) == 640
    clock.pass_(639)
    assert attempts.left_s() == 1
    reopened.close()


def test_attempts_at_the_same_time_are_looked_at_one_after_another(page: Page) -> None:
    import anyio  # noqa: PLC0415

    refused: list[str] = []

    async def attempt(entrance: Entrance) -> None:
        try:
            await entrance.sign_in("000000")
        except Exception as error:  # noqa: BLE001 - counted by its reason
            refused.append(str(error))

    async def storm() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(attempt, page.parts.entrance)

    anyio.run(storm)
    assert (refused.count("wrong"), refused.count("wait")) == (3, 17)
