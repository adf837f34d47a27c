"""What the enrolment service tells people in time: all that it cannot renew itself."""

from datetime import timedelta

from cleandesk_fleet.provision import certificates, pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.serving import due
from tests.unit.provision.conftest import PASSPHRASE, HandClock


def sign(fleet: Fleet, issuer: Issuer, name: str, days: int = 365) -> None:
    secret = None if issuer is Issuer.BOXES else PASSPHRASE.encode()
    signer = fleet.authorities.signer(issuer, secret)
    with fleet.registry.change() as change:
        key = pki.new_key().public_key()
        lasts = timedelta(days=days)
        certificates.sign(change, signer, key, name, issuer=issuer, lasts=lasts)


def told(fleet: Fleet) -> dict[str, int]:
    return {one.what: one.days for one in due(fleet)}


def test_each_certificate_that_no_machine_renews_is_told_of_a_month_before_its_end(
    fleet: Fleet, clock: HandClock
) -> None:
    for name in ("broker", "log"):
        sign(fleet, Issuer.PEOPLE, name)
    sign(fleet, Issuer.ADMINS, "door")
    sign(fleet, Issuer.BOXES, "s1/b1", days=20)
    assert told(fleet) == {}
    clock.pass_by(days=336)
    assert told(fleet) == {f"the certificate of {name}": 29 for name in ("broker", "log", "door")}
    fixes = {one.what: one.fix for one in due(fleet)}
    assert "restart the broker" in fixes["the certificate of broker"]
    assert "ca init" in fixes["the certificate of door"]
    assert "operator add" in fixes["the certificate of log"]


def test_one_that_was_renewed_or_revoked_is_not_told_of(fleet: Fleet, clock: HandClock) -> None:
    for name in ("broker", "log"):
        sign(fleet, Issuer.PEOPLE, name)
    clock.pass_by(days=336)
    sign(fleet, Issuer.PEOPLE, "broker")
    with fleet.registry.change() as change:
        certificates.revoke(change, Issuer.PEOPLE, "log", "left")
    assert told(fleet) == {}


def test_lists_and_authorities_are_told_of_before_they_end(fleet: Fleet, clock: HandClock) -> None:
    clock.pass_by(days=371)
    assert told(fleet) == {f"the revocation list of {who}": 29 for who in ("people", "admins")}
    clock.pass_by(days=1090)
    assert {f"the authority of {issuer}" for issuer in Issuer} <= set(told(fleet))
    assert all("new root" in one.fix for one in due(fleet) if "authority" in one.what)
