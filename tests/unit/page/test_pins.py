"""PINs: which are refused, how they are kept, and how long wrong ones make one wait."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cleandesk.contract import pin_hash
from cleandesk.page import pins
from cleandesk.page.attempts import LONGEST_S, Attempts, wait_s
from cleandesk.page.devices import MOST
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


def wrong_pins_of_strangers(page: Page) -> None:
    for _ in range(40):
        assert send(page.reader(), "/sign-in", pin="000000").status_code == 403
        page.clock.pass_(LONGEST_S)
    assert send(page.reader(), "/sign-in", pin="000000").status_code == 403


def signs_in(reader: TestClient) -> int:
    return int(send(reader, "/sign-in", pin=OWN).status_code)


def test_no_stranger_makes_a_device_wait_that_the_worker_signed_in_on(page: Page) -> None:
    phone, desktop = page.worker(), page.worker()
    send(phone, "/sign-out")
    wrong_pins_of_strangers(page)
    assert (signs_in(phone), signs_in(page.reader())) == (303, 429)
    changed = send(
        desktop, "/settings/pin", page="/settings", present=OWN, new="846205", again="846205"
    )
    assert changed.status_code == 303


def test_a_device_that_is_known_has_attempts_of_its_own_and_they_are_as_few(page: Page) -> None:
    phone = page.worker()
    send(phone, "/sign-out")
    for _ in range(3):
        assert send(phone, "/sign-in", pin="000000").status_code == 403
    assert (signs_in(phone), page.store.failures) == (429, 0)
    assert signs_in(page.reader()) == 303, "strangers were not made to wait by it"
    page.clock.pass_(6)
    assert signs_in(phone) == 303


@pytest.mark.parametrize("what", ["reset", "new PIN", "everywhere"])
def test_a_lost_device_is_known_no_longer(page: Page, what: str) -> None:
    lost, mine = page.worker(), page.worker()
    if what == "reset":
        page.box.change(pin_resets=1)
        page.reader().get("/sign-in")
        page.worker()
    elif what == "new PIN":
        send(mine, "/settings/pin", page="/settings", present=OWN, new="846205", again="846205")
    else:
        send(mine, "/settings/sign-out", page="/settings")
    wrong_pins_of_strangers(page)
    assert signs_in(lost) == 429
    if what == "everywhere":
        assert signs_in(mine) == 303


def test_few_devices_are_known_and_only_by_digests(page: Page) -> None:
    devices = page.parts.entrance.devices
    tokens = []
    for _ in range(MOST + 1):
        tokens.append(devices.remember())
        page.clock.pass_(1)
    assert [devices.find(token) is None for token in tokens] == [True] + [False] * MOST
    rows = page.store._db.execute("SELECT * FROM devices").fetchall()
    assert len(rows) == MOST
    assert not any(token in str(rows) for token in tokens)


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
