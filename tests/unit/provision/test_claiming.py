"""When a token is worth a certificate, and when it is not."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from cleandesk.contract.topics import Address
from cleandesk_fleet.provision import boxes, certificates, claiming, pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.boxes import State
from cleandesk_fleet.provision.claiming import NewKeyNeededError, TokenRefusedError
from cleandesk_fleet.provision.errors import ConflictError, RequestRefusedError
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.pki import PrivateKey
from cleandesk_fleet.provision.tables import audit, claims
from tests.unit.provision.conftest import PASSPHRASE, HandClock, request

BOX = Address("s1", "b1")
LASTS = timedelta(days=90)
Claim = Callable[..., str]


def token(fleet: Fleet, address: Address = BOX, hours: float = 24) -> str:
    with fleet.registry.change() as change:
        boxes.add_site(change, address.site)
        if boxes.find(change, address) is None:
            boxes.add_box(change, address, "hash")
        return boxes.new_claim(change, address, timedelta(hours=hours)).token


def claim(fleet: Fleet, shown: str, key: PrivateKey, name: str = "s1/b1") -> str:
    signer = fleet.authorities.signer(Issuer.BOXES)
    with fleet.registry.change() as change:
        return claiming.claim(change, signer, shown, request(key, name), LASTS)


def renew(fleet: Fleet, shown: str, key: PrivateKey) -> str:
    signer = fleet.authorities.signer(Issuer.BOXES)
    certificate = x509.load_pem_x509_certificate(shown.encode())
    with fleet.registry.change() as change:
        return claiming.renew(change, signer, certificate, request(key), LASTS)


def test_a_token_is_stored_hashed_only(fleet: Fleet) -> None:
    shown = token(fleet)
    with fleet.registry.change() as change:
        assert change.connection.scalar(select(claims.c.token)) == boxes.hashed(shown)
    database = fleet.settings.state
    stored = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    assert shown.encode() not in stored


def test_a_certificate_says_who_for_what_and_how_long(
    fleet: Fleet, key: PrivateKey, clock: HandClock
) -> None:
    made = x509.load_pem_x509_certificate(claim(fleet, token(fleet), key).encode())
    assert pki.common_name(made) == "s1/b1"
    assert made.public_key() == key.public_key()
    assert made.not_valid_after_utc == clock.now + LASTS
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [pki.CLIENT]


@pytest.mark.parametrize("hours", [24.0, 25.0])
def test_a_token_that_nobody_used_in_time_is_refused(
    fleet: Fleet, key: PrivateKey, clock: HandClock, hours: float
) -> None:
    shown = token(fleet, hours=24)
    clock.pass_by(hours=hours)
    with pytest.raises(TokenRefusedError):
        claim(fleet, shown, key)


def test_a_used_token_gives_the_same_certificate_until_that_ends(
    fleet: Fleet, key: PrivateKey, clock: HandClock
) -> None:
    shown = token(fleet, hours=24)
    first = claim(fleet, shown, key)
    clock.pass_by(days=89)
    assert claim(fleet, shown, key) == first
    clock.pass_by(days=1)
    with pytest.raises(TokenRefusedError):
        claim(fleet, shown, key)


def test_a_revoked_certificate_is_not_given_again(fleet: Fleet, key: PrivateKey) -> None:
    shown = token(fleet)
    claim(fleet, shown, key)
    with fleet.registry.change() as change:
        certificates.revoke(change, Issuer.BOXES, "s1/b1", "stolen")
    with pytest.raises(TokenRefusedError):
        claim(fleet, shown, key)


def test_a_new_claim_ends_the_tokens_before_it(fleet: Fleet, key: PrivateKey) -> None:
    first, second = token(fleet), token(fleet)
    with pytest.raises(TokenRefusedError):
        claim(fleet, first, key)
    assert claim(fleet, second, key)


def test_a_decommissioned_box_gets_no_claim(fleet: Fleet) -> None:
    token(fleet)
    with fleet.registry.change() as change:
        boxes.set_state(change, BOX, State.DECOMMISSIONED)
    with pytest.raises(ConflictError):
        token(fleet)


def test_a_new_claim_that_is_used_revokes_what_was_before(fleet: Fleet, key: PrivateKey) -> None:
    claim(fleet, token(fleet), key)
    claim(fleet, token(fleet), pki.new_key())
    with fleet.registry.change() as change:
        assert len(certificates.valid(change, Issuer.BOXES, "s1/b1")) == 1
        assert [one.name for one in certificates.to_put_out(change)] == ["s1/b1"]


@pytest.mark.parametrize(
    "made",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
    ],
    ids=["P-384", "RSA"],
)
def test_only_p_256_is_signed(fleet: Fleet, made: PrivateKey) -> None:
    with pytest.raises(RequestRefusedError, match="P-256"):
        claim(fleet, token(fleet), made)


def test_a_request_that_was_changed_on_the_way_is_refused(key: PrivateKey) -> None:
    whole = x509.load_pem_x509_csr(request(key))
    signed = whole.tbs_certrequest_bytes
    der = whole.public_bytes(serialization.Encoding.DER)
    begins = der.index(signed)
    for position in range(begins, begins + len(signed)):
        changed = bytearray(der)
        changed[position] ^= 0x01
        lines = base64.encodebytes(changed)
        pem = b"-----BEGIN CERTIFICATE REQUEST-----\n%s-----END CERTIFICATE REQUEST-----\n" % lines
        with pytest.raises(RequestRefusedError):
            pki.read_request(pem)


@hypothesis_settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(raw=st.binary(max_size=300))
def test_no_bytes_break_the_reading_of_a_request(raw: bytes) -> None:
    with pytest.raises(RequestRefusedError):
        pki.read_request(b"-----BEGIN CERTIFICATE REQUEST-----\n" + raw)


@pytest.mark.parametrize("name", ["s1/b1", "s1/b2"])
def test_another_key_with_a_used_token_is_alarmed_whomever_it_names(
    fleet: Fleet, key: PrivateKey, name: str
) -> None:
    shown = token(fleet)
    claim(fleet, shown, key)
    signer = fleet.authorities.signer(Issuer.BOXES)
    with fleet.registry.change() as change:
        with pytest.raises(TokenRefusedError):
            claiming.claim(change, signer, shown, request(pki.new_key(), name), LASTS)
        alarms = change.connection.scalars(select(audit.c.did).where(audit.c.alarm)).all()
    assert alarms == ["token shown with another key"]


def test_a_key_that_was_revoked_gets_no_certificate_any_more(fleet: Fleet, key: PrivateKey) -> None:
    claim(fleet, token(fleet), key)
    with fleet.registry.change() as change:
        certificates.revoke(change, Issuer.BOXES, "s1/b1", "stolen")
    with pytest.raises(NewKeyNeededError, match="revoked"):
        claim(fleet, token(fleet), key)
    assert claim(fleet, token(fleet), pki.new_key())


def test_a_key_of_which_an_older_certificate_was_revoked_goes_on(
    fleet: Fleet, key: PrivateKey, clock: HandClock
) -> None:
    claim(fleet, token(fleet), key)
    second = claim(fleet, token(fleet), key)
    clock.pass_by(days=60)
    assert renew(fleet, second, key)


def test_a_request_with_two_names_is_refused(fleet: Fleet, key: PrivateKey) -> None:
    signer, shown = fleet.authorities.signer(Issuer.BOXES), token(fleet)
    with fleet.registry.change() as change, pytest.raises(RequestRefusedError):
        claiming.claim(change, signer, shown, request(key, "s1/b1", "s1/b2"), LASTS)


def test_renewal_keeps_the_older_certificate_to_its_end(
    fleet: Fleet, key: PrivateKey, clock: HandClock
) -> None:
    first = claim(fleet, token(fleet), key)
    clock.pass_by(days=60)
    second = renew(fleet, first, key)
    assert second != first
    assert renew(fleet, first, key) == second
    with fleet.registry.change() as change:
        assert len(certificates.valid(change, Issuer.BOXES, "s1/b1")) == 2


def test_a_certificate_that_is_over_or_revoked_renews_nothing(
    fleet: Fleet, key: PrivateKey, clock: HandClock
) -> None:
    first = claim(fleet, token(fleet), key)
    clock.pass_by(days=90)
    with pytest.raises(RequestRefusedError, match="claimed anew"):
        renew(fleet, first, key)


def test_after_rotate_only_a_new_key_renews(
    fleet: Fleet, key: PrivateKey, clock: HandClock
) -> None:
    first = claim(fleet, token(fleet), key)
    clock.pass_by(minutes=1)
    with fleet.registry.change() as change:
        boxes.want_new_key(change, BOX)
    with pytest.raises(RequestRefusedError, match="new key"):
        renew(fleet, first, key)
    new = pki.new_key()
    clock.pass_by(minutes=1)
    second = renew(fleet, first, new)
    assert renew(fleet, second, new) == second


def test_what_ends_is_put_out_once(fleet: Fleet, key: PrivateKey, clock: HandClock) -> None:
    claim(fleet, token(fleet), key)
    with fleet.registry.change() as change:
        assert certificates.to_put_out(change) == []
    clock.pass_by(days=90)
    with fleet.registry.change() as change:
        over = certificates.to_put_out(change)
        assert [(one.name, one.revoked) for one in over] == [("s1/b1", False)]
        certificates.were_put_out(change, over)
        assert certificates.to_put_out(change) == []


def test_what_is_revoked_while_another_is_put_out_is_still_to_be_done(
    fleet: Fleet, key: PrivateKey, clock: HandClock
) -> None:
    first = claim(fleet, token(fleet), key)
    clock.pass_by(days=60)
    renew(fleet, first, pki.new_key())
    clock.pass_by(days=30)
    with fleet.registry.change() as change:
        over = certificates.to_put_out(change)
    with fleet.registry.change() as change:
        certificates.revoke(change, Issuer.BOXES, "s1/b1", "stolen")
        certificates.were_put_out(change, over)
        assert [one.revoked for one in certificates.to_put_out(change)] == [True]


def test_a_revoked_operator_is_left_to_who_can_write_the_list(
    fleet: Fleet, clock: HandClock
) -> None:
    signer = fleet.authorities.signer(Issuer.PEOPLE, PASSPHRASE.encode())
    for name in ("anna", "ben"):
        with fleet.registry.change() as change:
            key = pki.new_key().public_key()
            certificates.sign(change, signer, key, name, issuer=Issuer.PEOPLE, lasts=LASTS)
    with fleet.registry.change() as change:
        certificates.revoke(change, Issuer.PEOPLE, "anna", "left")
        assert certificates.to_put_out(change) == []
        assert [one.name for one in certificates.revoked_of(change, Issuer.PEOPLE, "anna")] == [
            "anna"
        ]
    clock.pass_by(days=90)
    with fleet.registry.change() as change:
        assert [one.name for one in certificates.to_put_out(change)] == ["ben"]


def test_the_audit_trail_tells_of_it_without_the_token(fleet: Fleet, key: PrivateKey) -> None:
    shown = token(fleet)
    claim(fleet, shown, key)
    with fleet.registry.change() as change:
        rows = change.connection.execute(select(audit.c.did, audit.c.detail)).all()
    said = [row.did for row in rows]
    assert said[-3:] == ["claim made", "certificate signed", "box claimed"]
    assert not any(shown in row.detail for row in rows)
