"""The label: what its code says, and that its PIN is none that is easily guessed."""

import base64
import hashlib
import os
import stat
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cleandesk.contract import pin_hash
from cleandesk.contract.topics import Address
from cleandesk_fleet.provision import pins
from cleandesk_fleet.provision.label import Label, write_pdf, write_png

LONGEST = Address("s" * 31, "b" * 32)


@pytest.mark.parametrize("address", [Address("home", "desk-1"), LONGEST])
def test_the_code_opens_the_workers_page(tmp_path: Path, address: Address) -> None:
    path = tmp_path / "label.png"
    write_png(Label(address, "48213907"), path)
    picture = np.asarray(Image.open(path))
    read, *_ = cv2.QRCodeDetectorAruco().detectAndDecode(picture)
    assert read == f"https://cleandesk-{address.box}.local/"


@pytest.mark.parametrize("address", [Address("home", "desk-1"), LONGEST])
def test_nothing_is_cut_off(address: Address) -> None:
    drawn = np.asarray(Label(address, "48213907").draw())
    for edge in (drawn[:8], drawn[-8:], drawn[:, :8], drawn[:, -8:]):
        assert edge.min() == 255


def test_each_pin_makes_another_label() -> None:
    one, other = (np.asarray(Label(Address("s", "b"), pin).draw()) for pin in ("1", "2"))
    assert (one != other).any()


def test_a_sheet_has_a_page_for_each_label(tmp_path: Path) -> None:
    pictures = []
    for number in range(3):
        pictures.append(tmp_path / f"{number}.png")
        write_png(Label(Address("s", f"b{number}"), "48213907"), pictures[-1])
    write_pdf(pictures, tmp_path / "labels.pdf")
    text = (tmp_path / "labels.pdf").read_bytes()
    assert text.startswith(b"%PDF-")
    assert text.count(b"/Type /Page\n") + text.count(b"/Type /Page ") == 3
    assert b"/MediaBox [ 0 0 175.68 82.08 ]" in text
    with Image.open(pictures[0]) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=1)


def test_nobody_else_reads_the_pin_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def fsync(handle: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))

    monkeypatch.setattr(os, "fsync", fsync)
    for _ in range(2):
        write_png(Label(Address("s", "b"), "48213907"), tmp_path / "label.png")
        write_pdf([tmp_path / "label.png"], tmp_path / "label.pdf")
    files = [mode for mode in seen if mode != stat.S_IMODE(tmp_path.stat().st_mode)]
    assert files == [0o600] * 8, "each before and after it has its name"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_pins_are_eight_digits_and_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [pins.new_pin() for _ in range(200)]
    assert all(len(pin) == 8 and pin.isdigit() and len(set(pin)) >= 3 for pin in drawn)
    assert len(set(drawn)) == len(drawn)
    offered = iter("000000001234567887654321482148211122222248213907")
    monkeypatch.setattr("secrets.choice", lambda _: next(offered))
    assert pins.new_pin() == "48213907"


def test_a_pins_hash_holds_all_that_is_needed_to_compare() -> None:
    kind, n, r, p, salt, key = pin_hash.hashed("48213907").split("$")
    computed = hashlib.scrypt(
        b"48213907", salt=base64.b64decode(salt), n=int(n), r=int(r), p=int(p), dklen=32
    )
    assert (kind, computed) == ("scrypt", base64.b64decode(key))
    assert pin_hash.hashed("48213907") != pin_hash.hashed("48213907")
