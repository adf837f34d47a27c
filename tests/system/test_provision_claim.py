"""`cleandesk claim` and `renew` on the real service and broker, and whatever goes wrong."""

import contextlib
import functools
import json
import os
import queue
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from broker.local import BOXES
from cleandesk.config import load
from cleandesk.contract import tls_clock
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.mqtt import Session
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.home import Journal, Step
from cleandesk.identity.proof import prove
from cleandesk.identity.renewal import due_at
from cleandesk.settings import BoxSettings
from cleandesk_fleet.provision import certificates, keyfiles, pki
from cleandesk_fleet.provision.authorities import Authorities, Issuer
from cleandesk_fleet.provision.pki import Span
from tests.box_clock import BoxClock
from tests.eventually import PATIENCE_S
from tests.mosquitto import needs_mosquitto
from tests.privacy.strace import needs_strace
from tests.system.claim_rig import Box
from tests.system.provision_rig import PASSPHRASE, Site
from tests.unit.provision.test_targets import fat, needs_mtools

pytestmark = [pytest.mark.system, needs_mosquitto]

YEAR_1970 = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    limits = {"requests_per_minute": 10_000, "refusals_per_hour": 10_000}
    with Site(tmp_path_factory.mktemp("site"), enrolment=limits) as running:
        yield running


def refused(box: Box, code: Code) -> IdentityError:
    with pytest.raises(IdentityError) as caught:
        box.claim()
    assert caught.value.code is code, caught.value
    assert caught.value.reason
    assert caught.value.fix
    assert json.loads((box.card / "claim.json").read_text())["token"] not in str(caught.value)
    return caught.value


def test_a_card_makes_a_box_that_the_broker_takes_and_the_token_is_gone(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/claims", tmp_path)
    done = box.run("claim", "--card", box.card)
    said = json.loads(done.stdout)
    assert (done.returncode, said["did"], said["box"]) == (0, "claimed", "s1/claims"), done.stderr
    assert box.signed() == [said["serial"]]
    assert not (box.card / "claim.json").exists()
    assert box.home.box.stat().st_mode & 0o777 == 0o600
    assert not box.home.next_key.exists()
    tls = load(box.home.settings, BoxSettings).broker.tls
    assert tls is not None
    assert (tls.cert, tls.key, tls.clock) == (box.home.box, box.home.box, box.home.clock)
    again = box.run("claim", "--card", box.card)
    assert json.loads(again.stdout) == said | {"did": "already claimed"}


@needs_mtools
def test_the_card_that_the_laptop_wrote_is_one_that_the_box_reads(
    site: Site, tmp_path: Path
) -> None:
    box, image = Box(site, "s1/image", tmp_path), tmp_path / "card.img"
    shutil.rmtree(box.card)
    fat(image, 0)
    site.run("sd", "s1/image", image)
    subprocess.run(["mcopy", "-s", "-i", image, "::cleandesk", box.card], check=True)
    assert box.claim().name == "s1/image"


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
        rf"fsync\(\d+<{identity}/\.next\.key\.new>\) += 0",
        rf'rename\("{identity}/\.next\.key\.new", "{identity}/next\.key"\) += 0',
        rf"fsync\(\d+<{identity}>\) += 0",
        rf"connect\(.*htons\({site.port}\)",
        rf"fsync\(\d+<{identity}/\.box\.pem\.new>\) += 0",
        rf'rename\("{identity}/\.box\.pem\.new", "{identity}/box\.pem"\) += 0',
        rf"fsync\(\d+<{identity}>\) += 0",
        rf'unlink\("{identity}/next\.key"\) += 0',
        rf"connect\(.*htons\({site.broker.port(BOXES)}\)",
        rf"fsync\(\d+<{card}>\) += 0",
        rf'unlink\("{card}"\) += 0',
        rf"fsync\(\d+<{box.card}>\) += 0",
    ]
    left = iter(lines)
    for pattern in wanted:
        assert any(re.search(pattern, line) for line in left), pattern


@pytest.fixture(scope="module")
def cut_boxes(site: Site) -> Iterator[str]:
    """Names of boxes that are made together."""
    site.run("box", "new", "s1", "--count", "60", "--prefix", "cut")
    return iter([f"s1/cut-{number:03}" for number in range(1, 61)])


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


def test_of_two_boxes_with_one_card_the_second_is_refused_and_alarmed(
    site: Site, tmp_path: Path
) -> None:
    first = Box(site, "s1/twin", tmp_path / "first")
    second = Box(site, "s1/twin", tmp_path / "second", new=False)
    first.claim()
    assert refused(second, Code.TOKEN_REFUSED).exit_code == 1
    assert first.alarms() == ["token shown with another key"]
    assert first.signed() == [first.home.current().serial]
    assert (second.card / "claim.json").exists()


def test_a_new_card_makes_a_new_key(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/anew", tmp_path)
    old = box.claim()
    site.run("box", "new", "s1/anew", "--again")
    box.write_card()
    new = box.claim()
    assert new.key.public_key() != old.key.public_key()
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
    refused(box, Code.CARD_DAMAGED)
    assert (box.card / "claim.json").exists()


def test_a_service_that_is_away_is_asked_again_with_the_same_key(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/waits", tmp_path)
    site.stop_service()
    try:
        assert refused(box, Code.SERVICE_AWAY).exit_code == 75
        key = box.home.next_key.read_bytes()
    finally:
        site.start_service()
    assert box.home.next_key.read_bytes() == key
    assert key in box.claim().as_pem()


def test_a_broker_that_is_away_does_not_cost_the_certificate(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/no-broker", tmp_path)
    site.broker.stop()
    try:
        with pytest.raises(IdentityError) as caught:
            box.claim(functools.partial(prove, patience_s=0.5))
        assert (caught.value.code, caught.value.exit_code) == (Code.BROKER, 75)
        assert (box.card / "claim.json").exists()
        serial = box.home.current().serial
    finally:
        site.broker.start()
    assert box.claim().serial == serial


def test_a_broker_that_denies_the_boxs_own_topic_is_told(site: Site, tmp_path: Path) -> None:
    box, rules = Box(site, "s1/denied", tmp_path), site.broker.files / "boxes.acl"
    whole = rules.read_text()
    site.broker.stop()
    rules.write_text(whole.replace("pattern write cleandesk/v1/%u/status\n", ""))
    site.broker.start()
    try:
        error = refused(box, Code.TOPIC)
        assert error.place == "cleandesk/v1/s1/denied/status"
    finally:
        site.broker.stop()
        rules.write_text(whole)
        site.broker.start()
    box.claim()


def test_of_what_a_worn_disk_spoils_only_the_key_is_beyond_help(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/worn", tmp_path)
    site.stop_service()
    try:
        refused(box, Code.SERVICE_AWAY)
    finally:
        site.start_service()
    key = box.home.next_key.read_bytes()
    box.home.next_key.write_bytes(key[: len(key) // 2])
    assert "box new" in refused(box, Code.KEY).fix
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


def test_a_wrong_root_on_the_card_is_told(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/wrong-ca", tmp_path)
    strangers = Authorities(tmp_path / "ca", tmp_path / "root.key")
    strangers.make(PASSPHRASE.encode(), datetime.now(UTC))
    right = (box.card / "ca.pem").read_bytes()
    shutil.copy(strangers.root, box.card / "ca.pem")
    refused(box, Code.CA)
    assert not box.home.box.exists()
    (box.card / "ca.pem").write_bytes(right)
    box.claim()
    assert len(box.signed()) == 1


def pinned(begins: datetime, ends: datetime) -> tuple[pki.PrivateKey, x509.Certificate]:
    key = pki.new_key()
    return key, pki.self_signed(key, "x", Span(begins, ends), ["localhost"])


def test_a_service_that_is_not_the_one_on_the_card_gets_no_token(
    site: Site, tmp_path: Path
) -> None:
    box, now = Box(site, "s1/impostor", tmp_path), datetime.now(UTC)
    _, other = pinned(now - timedelta(days=1), now + timedelta(days=1))
    keyfiles.write_certificate(box.card / "enrolment.pem", other)
    refused(box, Code.SERVICE_UNKNOWN)
    assert box.signed() == []


@pytest.mark.parametrize("days", [(-9, -1), (1, 9)], ids=["expired", "not yet valid"])
def test_a_pinned_certificate_that_does_not_hold_now_is_told(
    site: Site, tmp_path: Path, days: tuple[int, int]
) -> None:
    now = datetime.now(UTC)
    box = Box(site, f"s1/dated{days[1]}", tmp_path)
    _, wrong = pinned(*(now + timedelta(days=one) for one in days))
    keyfiles.write_certificate(box.card / "enrolment.pem", wrong)
    assert "set the clock" in refused(box, Code.SERVICE_DATE).fix


class SiteAhead(Site):
    """A service whose certificate begins tomorrow: so a clock without a network sees each."""

    moment: datetime | None = None

    def context(self, files: TlsSettings | None = None) -> ssl.SSLContext:
        made = super().context(files)
        if self.moment is not None:
            tls_clock.judge_at(made, self.moment)
        return made

    def go_ahead(self) -> None:
        """Give the service its new certificate."""
        self.stop_service()
        begins = datetime.now(UTC) + timedelta(days=1)
        key, shown = pinned(begins, begins + timedelta(days=30))
        files = self.fleet().enrolment
        keyfiles.write_certificate(files[0], shown)
        keyfiles.write_key(files[1], key)
        self.moment = shown.not_valid_before_utc
        self.start_service()
        self.moment = None
        with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
            self.ask("/v1/claim", {})


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Site]:
    home = tmp_path / "ahead"
    home.mkdir()
    with SiteAhead(home) as running:
        running.go_ahead()
        yield running


def test_with_a_clock_in_1970_a_box_is_claimed_and_renewed(ahead: Site, tmp_path: Path) -> None:
    box = Box(ahead, "s1/past", tmp_path / "box")
    box.clock = BoxClock(datetime.now(UTC))
    refused(box, Code.SERVICE_DATE)
    box.clock = BoxClock(YEAR_1970, synced=False)
    box.claim()
    known = datetime.fromisoformat(box.home.clock.read_text().strip())
    begins = x509.load_pem_x509_certificate(box.home.pinned.read_bytes()).not_valid_before_utc
    assert known == begins
    assert box.renew()[0]
    # The broker's certificate, too, is judged by the time that was kept.
    box.home.clock.write_text("2090-01-01T00:00:00+00:00\n")
    with pytest.raises(IdentityError) as caught:
        box.renew()
    assert caught.value.code is Code.EXPIRED


def test_a_clock_that_the_network_set_heals_a_floor_that_is_too_late(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/too-late", tmp_path)
    box.claim()
    box.home.clock.write_text("2090-01-01T00:00:00+00:00\n")
    assert not box.renew(now=False)[0]
    assert datetime.fromisoformat(box.home.clock.read_text().strip()) <= datetime.now(UTC)


@pytest.mark.parametrize("name", ["claim.json", "enrolment.pem", "ca.pem", "cleandesk.yaml"])
def test_a_card_that_was_written_by_half_is_told_and_uses_up_nothing(
    site: Site, tmp_path: Path, name: str
) -> None:
    box = Box(site, f"s1/half-{Path(name).stem}", tmp_path)
    whole = (box.card / name).read_bytes()
    half = len(whole) // 2
    for content in (b"", bytes(len(whole)), whole[:half], whole[:half] + b"\xff" + whole[half:]):
        (box.card / name).write_bytes(content)
        with pytest.raises(IdentityError) as caught:
            box.claim()
        assert caught.value.exit_code == 2
        assert str(box.card / name) == caught.value.place
    (box.card / name).unlink()
    with pytest.raises(IdentityError):
        box.claim()
    assert box.signed() == []
    (box.card / name).write_bytes(whole)
    box.claim()


def test_a_card_of_two_boxes_is_refused(site: Site, tmp_path: Path) -> None:
    box, other = Box(site, "s1/mixed", tmp_path / "a"), Box(site, "s1/mixture", tmp_path / "b")
    shutil.copy(other.card / "cleandesk.yaml", box.card)
    refused(box, Code.CARD_MISMATCH)
    assert not box.home.settings.exists()


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


def test_a_renewal_is_due_in_the_last_third_and_the_link_goes_on_with_it(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/renews", tmp_path)
    old = box.claim()
    begins, ends = old.certificate.not_valid_before_utc, old.certificate.not_valid_after_utc
    due = due_at(old.certificate)
    assert begins + (ends - begins) * 2 / 3 <= due <= begins + (ends - begins) * 3 / 4
    box.clock = BoxClock(due - timedelta(minutes=1))
    assert not box.renew(now=False)[0]

    connects: queue.SimpleQueue[bool] = queue.SimpleQueue()
    broker = load(box.home.settings, BoxSettings).broker
    session = Session(
        broker.model_copy(update={"retry_min_s": 0.1, "retry_max_s": 0.5}),
        "box",
        on_connect=lambda: connects.put(True),
    )
    session.start()
    try:
        connects.get(timeout=PATIENCE_S)
        box.clock = BoxClock()
        done, new = box.renew()
        assert done
        assert session.connected
        with site.fleet().registry.change() as change:
            certificates.revoke(change, Issuer.BOXES, box.name, "a test", but=new.serial)
        connects.get(timeout=PATIENCE_S)
        assert new.serial != old.serial
    finally:
        session.stop()


def test_a_renewal_waits_for_the_service_and_keeps_what_there_is(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/renews-later", tmp_path)
    old = box.claim()
    site.stop_service()
    try:
        with pytest.raises(IdentityError) as caught:
            box.renew()
        assert (caught.value.code, caught.value.exit_code) == (Code.SERVICE_AWAY, 75)
        assert box.home.current().serial == old.serial
    finally:
        site.start_service()
    site.run("rotate", "s1/renews-later")
    done = box.run("renew", "--now")
    assert json.loads(done.stdout)["did"] == "renewed", done.stderr
    assert box.home.current().key.public_key() != old.key.public_key()


def test_a_certificate_that_ended_or_was_revoked_is_not_renewed(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/over", tmp_path)
    ends = box.claim().certificate.not_valid_after_utc
    box.clock = BoxClock(ends + timedelta(seconds=1))
    with pytest.raises(IdentityError) as caught:
        box.renew()
    assert caught.value.code is Code.EXPIRED
    box.clock = BoxClock()
    site.run("revoke", "s1/over")
    with pytest.raises(IdentityError) as caught:
        box.renew()
    assert caught.value.code is Code.REFUSED


def test_a_box_without_a_claim_has_nothing_to_renew(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/unclaimed", tmp_path)
    done = box.run("renew")
    assert (done.returncode, json.loads(done.stdout)["code"]) == (1, "not_claimed")


def test_the_key_never_leaves_the_box(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/secret", tmp_path)
    secret = box.claim().key.private_numbers().private_value.to_bytes(32, "big")
    held = keyfiles.read_signer(box.home.box, box.home.box).key
    assert held.private_numbers().private_value.to_bytes(32, "big") == secret
    places = [path for path in site.home.rglob("*") if path.is_file()]
    assert len(places) > 10
    assert not [path for path in places if secret in path.read_bytes()]
    assert not [path for path in box.card.iterdir() if b"PRIVATE" in path.read_bytes()]
