"""Power cuts, full and worn disks: a claim and a renewal go on where they were."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.local import BOXES
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.home import Journal, Step
from tests.mosquitto import needs_mosquitto
from tests.privacy.strace import needs_strace
from tests.system.claim_rig import Box
from tests.system.provision_rig import Site

pytestmark = [pytest.mark.system, needs_mosquitto]

#: A call in strace's words: one that takes its time is told of twice if another thread calls too.
BEGUN = r"(\) += 0| <unfinished)"


@needs_strace
def test_a_key_is_on_the_disk_before_the_service_hears_of_it_and_the_token_goes_last(
    site: Site, tmp_path: Path
) -> None:
    box, trace = Box(site, "s1/traced", tmp_path), tmp_path / "trace"
    calls = "fsync,connect,rename,unlink"
    under = ["strace", "-f", "-y", "-e", f"trace={calls}", "-o", trace]
    done = box.run("claim", "--card", box.card, under=under)
    assert done.returncode == 0, done.stderr
    lines = trace.read_text().splitlines()
    identity, card = box.home.identity, box.card / "claim.json"
    wanted = [
        rf"fsync\(\d+<{identity}/\.next\.key\.new>{BEGUN}",
        rf'rename\("{identity}/\.next\.key\.new", "{identity}/next\.key"{BEGUN}',
        rf"fsync\(\d+<{identity}>{BEGUN}",
        rf"connect\(.*htons\({site.port}\)",
        rf"fsync\(\d+<{identity}/\.box\.pem\.new>{BEGUN}",
        rf'rename\("{identity}/\.box\.pem\.new", "{identity}/box\.pem"{BEGUN}',
        rf"fsync\(\d+<{identity}>{BEGUN}",
        rf'unlink\("{identity}/next\.key"{BEGUN}',
        rf"connect\(.*htons\({site.broker.port(BOXES)}\)",
        rf"fsync\(\d+<{card}>{BEGUN}",
        rf'unlink\("{card}"{BEGUN}',
        rf"fsync\(\d+<{box.card}>{BEGUN}",
    ]
    left = iter(lines)
    for pattern in wanted:
        assert any(re.search(pattern, line) for line in left), pattern


@pytest.fixture(scope="module")
def cut_boxes(site: Site) -> Iterator[str]:
    """Names of boxes that are made together."""
    site.run("box", "new", "s1", "--count", "70", "--prefix", "cut")
    return iter([f"s1/cut-{number:03}" for number in range(1, 71)])


def test_a_power_cut_at_any_operation_of_a_claim_leaves_one_key_and_one_certificate(
    site: Site, cut_boxes: Iterator[str], tmp_path: Path
) -> None:
    boxes, at, cut = [], 0, True
    while cut:
        at += 1
        box = Box(site, next(cut_boxes), tmp_path / str(at), new=False)
        cut = box.cut(at, box.claim)
        # And once more, at another place.
        box.cut(1 + at * 7 % 23, box.claim)
        box.claim()
        boxes.append(box)
    assert len(boxes) > 20
    for box in boxes:
        identity = box.home.current()
        assert box.home.journal() == Journal(
            schema=1, claim=_claimed(box), service=site.fleet().service, step=Step.DONE
        )
        assert not (box.card / "claim.json").exists()
        assert not box.home.next_key.exists()
        assert identity.certificate.public_key() == identity.key.public_key()
    rows = site.run("list", "certificates")["certificates"]
    assert sorted(row["serial"] for row in rows if row["name"].startswith("s1/cut-")) == sorted(
        box.home.current().serial for box in boxes
    )
    assert not [
        row for row in site.run("list", "alarms")["alarms"] if row["subject"].startswith("s1/cut-")
    ]


def _claimed(box: Box) -> str:
    journal = box.home.journal()
    assert journal is not None
    return journal.claim


def test_a_power_cut_at_any_operation_of_a_renewal_leaves_a_working_box(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/cut-renewal", tmp_path)
    old = box.claim()
    for at in range(1, 100):
        cut = box.cut(at, box.renew)
        identity = box.home.current()
        assert identity.certificate.public_key() == identity.key.public_key()
        assert identity.serial in box.signed()
        if not cut:
            break
    assert at > 10
    done, new = box.renew()
    assert done
    assert new.serial != old.serial
    assert new.key.public_key() != old.key.public_key()
    assert not box.home.next_key.exists()
    assert box.alarms() == []


def test_a_token_that_was_wiped_by_half_is_wiped_and_a_new_one_is_not(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/half-wiped", tmp_path)
    claim = (box.card / "claim.json").read_bytes()
    serial = box.claim().serial
    journal = box.home.journal()
    assert journal is not None
    box.home.note(journal.model_copy(update={"step": Step.VERIFIED}))
    (box.card / "claim.json").write_bytes(bytes(100) + claim[100:])
    assert box.claim().serial == serial
    assert not (box.card / "claim.json").exists()

    site.run("box", "new", "s1/half-wiped", "--again")
    box.write_card()
    (box.card / "ca.pem").write_bytes(b"half")
    box.home.note(journal.model_copy(update={"step": Step.VERIFIED}))
    box.refused(Code.CARD_DAMAGED)
    assert (box.card / "claim.json").exists()


def test_of_what_a_worn_disk_spoils_only_the_key_is_beyond_help(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/worn", tmp_path)
    site.stop_service()
    try:
        box.refused(Code.SERVICE_AWAY)
    finally:
        site.start_service()
    key = box.home.next_key.read_bytes()
    box.home.next_key.write_bytes(key[: len(key) // 2])
    assert "box new" in box.refused(Code.KEY).fix
    box.home.next_key.write_bytes(key)
    spoiled = ("journal.json", "clock", "ca.pem", "enrolment.pem")
    for name in spoiled:
        (box.home.identity / name).write_bytes(b"{")
    assert key in box.claim().as_pem()
    whole = box.home.box.read_bytes()
    box.home.box.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IdentityError) as caught:
        box.renew()
    assert caught.value.code is Code.KEY
    assert box.alarms() == []


def test_a_full_disk_stops_a_claim_and_room_lets_it_go_on(site: Site, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    disk = tmp_path / "box" / "etc"
    disk.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    result = subprocess.run(mount, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {result.stderr.strip()}")
    try:
        box, filler = Box(site, "s1/full", tmp_path / "box"), disk / "filler"
        refusals = 0
        for free in range(16):
            _fill(filler, free)
            try:
                box.claim()
                break
            except IdentityError as error:
                code = error.code
            refusals += 1
            assert code is Code.DISK
            assert not list(disk.rglob(".*.new"))
        assert refusals > 3
        assert box.signed() == [box.claim().serial]
        assert box.alarms() == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def _fill(filler: Path, free: int) -> None:
    """Fill a disk but for some pages."""
    filler.unlink(missing_ok=True)
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)) == 4096:
            pass
    os.truncate(filler, max(0, filler.stat().st_size - 4096 * free))
