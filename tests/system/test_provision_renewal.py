"""`cleandesk renew` on the real service, and the time that certificates are held against."""

import json
import queue
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from cleandesk.config import load
from cleandesk.contract import tls_clock
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.mqtt import Session
from cleandesk.identity import keys
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.renewal import due_at
from cleandesk.settings import BoxSettings
from cleandesk_fleet.provision import certificates, keyfiles
from cleandesk_fleet.provision.authorities import Issuer
from tests.box_clock import BoxClock
from tests.eventually import PATIENCE_S
from tests.mosquitto import needs_mosquitto
from tests.system.claim_rig import Box, pinned
from tests.system.provision_rig import Site

pytestmark = [pytest.mark.system, needs_mosquitto]

YEAR_1970 = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


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
    box.refused(Code.SERVICE_DATE)
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
    waits = box.home.next_key.read_bytes()
    done = box.run("renew", "--now")
    assert json.loads(done.stdout)["did"] == "renewed", done.stderr
    new = box.home.current()
    assert new.key.public_key() != old.key.public_key()
    assert waits in box.home.box.read_bytes(), "the key that had been made"


def test_a_key_that_waits_since_before_a_new_one_was_asked_for_is_not_kept_to(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/waits", tmp_path)
    box.claim()
    for at in range(1, 100):
        assert box.cut(at, box.renew), "cut off once it was signed, and before it was kept"
        if len(box.signed()) > 1:
            break
    waits = box.home.next_key.read_bytes()
    site.run("rotate", "s1/waits", code=9)
    done, new = box.renew()
    assert done
    assert keys.as_pem(new.key) != waits
    assert not box.home.next_key.exists()
    assert len(box.signed()) == 3


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
