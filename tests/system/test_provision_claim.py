"""`cleandesk claim` on the real service and broker: what it makes, and whom it refuses."""

import functools
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleandesk.config import load
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.proof import prove
from cleandesk.page.settings import PageSettings
from cleandesk.settings import BoxSettings
from cleandesk_fleet.provision import keyfiles
from cleandesk_fleet.provision.authorities import Authorities
from tests.mosquitto import needs_mosquitto
from tests.system.claim_rig import Box, pinned
from tests.system.provision_rig import PASSPHRASE, Site
from tests.unit.provision.test_targets import fat, needs_mtools

pytestmark = [pytest.mark.system, needs_mosquitto]


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
    settings, page = load(box.home.settings, BoxSettings), load(box.home.page, PageSettings)
    assert (page.box, page.page.enabled, page.socket) == ("claims", True, settings.page.socket)
    assert settings.outbox.path == Path("/var/lib/cleandesk/outbox.db"), "where its unit may write"
    tls = settings.broker.tls
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


def test_of_two_boxes_with_one_card_the_second_is_refused_and_alarmed(
    site: Site, tmp_path: Path
) -> None:
    first = Box(site, "s1/twin", tmp_path / "first")
    second = Box(site, "s1/twin", tmp_path / "second", new=False)
    first.claim()
    assert second.refused(Code.TOKEN_REFUSED).exit_code == 1
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


def test_a_service_that_is_away_is_asked_again_with_the_same_key(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/waits", tmp_path)
    site.stop_service()
    try:
        assert box.refused(Code.SERVICE_AWAY).exit_code == 75
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
        error = box.refused(Code.TOPIC)
        assert error.place == "cleandesk/v1/s1/denied/status"
    finally:
        site.broker.stop()
        rules.write_text(whole)
        site.broker.start()
    box.claim()


def test_a_wrong_root_on_the_card_is_told(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/wrong-ca", tmp_path)
    strangers = Authorities(tmp_path / "ca", tmp_path / "root.key")
    strangers.make(PASSPHRASE.encode(), datetime.now(UTC))
    right = (box.card / "ca.pem").read_bytes()
    shutil.copy(strangers.root, box.card / "ca.pem")
    box.refused(Code.CA)
    assert not box.home.box.exists()
    (box.card / "ca.pem").write_bytes(right)
    box.claim()
    assert len(box.signed()) == 1


def test_a_service_that_is_not_the_one_on_the_card_gets_no_token(
    site: Site, tmp_path: Path
) -> None:
    box, now = Box(site, "s1/impostor", tmp_path), datetime.now(UTC)
    _, other = pinned(now - timedelta(days=1), now + timedelta(days=1))
    keyfiles.write_certificate(box.card / "enrolment.pem", other)
    box.refused(Code.SERVICE_UNKNOWN)
    assert box.signed() == []


@pytest.mark.parametrize("days", [(-9, -1), (1, 9)], ids=["expired", "not yet valid"])
def test_a_pinned_certificate_that_does_not_hold_now_is_told(
    site: Site, tmp_path: Path, days: tuple[int, int]
) -> None:
    now = datetime.now(UTC)
    box = Box(site, f"s1/dated{days[1]}", tmp_path)
    _, wrong = pinned(*(now + timedelta(days=one) for one in days))
    keyfiles.write_certificate(box.card / "enrolment.pem", wrong)
    assert "set the clock" in box.refused(Code.SERVICE_DATE).fix


@pytest.mark.parametrize(
    "name", ["claim.json", "enrolment.pem", "ca.pem", "cleandesk.yaml", "page-label"]
)
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
    box.refused(Code.CARD_MISMATCH)
    assert not box.home.settings.exists()


def test_a_box_becomes_no_other_one_before_it_forgets_its_worker(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/first-worker", tmp_path)
    box.claim()
    other = Box(site, "s1/next-worker", tmp_path)
    assert "wipe" in other.refused(Code.CARD_MISMATCH).fix
    assert other.home.current().name == "s1/first-worker"
    assert not other.home.next_key.exists()
    state = tmp_path / "page"
    settings = other.home.settings
    settings.write_text(settings.read_text().replace("/var/lib/cleandesk", str(tmp_path / "state")))
    program = Path(sys.executable).parent / "cleandesk"
    subprocess.run([program, "wipe", "--yes", "-c", settings, "--page", state], check=True)
    assert other.claim().name == "s1/next-worker"
    assert other.alarms() == []


def test_a_card_of_a_new_root_moves_a_box_to_it(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/moves", tmp_path)
    old = box.claim()
    home = tmp_path / "second-fleet"
    home.mkdir()
    with Site(home) as second:
        moved = Box(second, "s1/moves", tmp_path)
        new = moved.claim()
        assert (new.name, new.issuer == old.issuer) == ("s1/moves", False)
        root = (home / "ca" / "root.pem").read_bytes()
        assert moved.home.root.read_bytes() == root != site.fleet().authorities.root.read_bytes()
        assert moved.renew()[0]


def test_the_key_never_leaves_the_box(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/secret", tmp_path)
    secret = box.claim().key.private_numbers().private_value.to_bytes(32, "big")
    held = keyfiles.read_signer(box.home.box, box.home.box).key
    assert held.private_numbers().private_value.to_bytes(32, "big") == secret
    places = [path for path in site.home.rglob("*") if path.is_file()]
    assert len(places) > 10
    assert not [path for path in places if secret in path.read_bytes()]
    assert not [path for path in box.card.iterdir() if b"PRIVATE" in path.read_bytes()]
