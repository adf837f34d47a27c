"""The authorities' files: whole, locked, and each good for its own purpose only."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cleandesk_fleet.provision.authorities import Authorities, Issuer
from cleandesk_fleet.provision.errors import ConflictError, LockedError
from tests.unit.provision.conftest import PASSPHRASE, HandClock

SECRET = PASSPHRASE.encode()


@pytest.fixture
def authorities(ready: Path, tmp_path: Path) -> Authorities:
    folder = tmp_path / "ca"
    shutil.copytree(ready, folder)
    return Authorities(folder, folder / "root.key")


def test_keys_are_for_their_owner_and_all_but_the_services_have_a_passphrase(
    authorities: Authorities,
) -> None:
    for name in ("root", *Issuer):
        path = authorities.folder / f"{name}.key"
        assert path.stat().st_mode & 0o777 == 0o600
        open_ = name == Issuer.BOXES
        assert (b"ENCRYPTED" in path.read_bytes()) is not open_
    assert serialization.load_pem_private_key(
        authorities.key(Issuer.BOXES).read_bytes(), password=None
    )


def test_made_twice_is_made_once_also_without_the_roots_key(
    authorities: Authorities, clock: HandClock
) -> None:
    before = {path: path.read_bytes() for path in authorities.folder.iterdir()}
    authorities.root_key.unlink()
    del before[authorities.root_key]
    assert authorities.make(SECRET, clock.now) is False
    assert {path: path.read_bytes() for path in authorities.folder.iterdir()} == before


def test_another_passphrase_is_told(authorities: Authorities, clock: HandClock) -> None:
    with pytest.raises(LockedError, match="passphrase"):
        authorities.make(b"another passphrase", clock.now)
    with pytest.raises(LockedError, match="passphrase"):
        authorities.signer(Issuer.ADMINS, b"another passphrase")


def test_what_was_cut_off_half_way_goes_on_with_the_same_root(
    authorities: Authorities, clock: HandClock
) -> None:
    root = authorities.root.read_bytes()
    authorities.revoked(Issuer.ADMINS).unlink()
    assert authorities.make(SECRET, clock.now)
    assert authorities.root.read_bytes() == root
    assert authorities.whole


def test_a_roots_key_without_its_certificate_is_not_written_over(
    authorities: Authorities, clock: HandClock
) -> None:
    authorities.root.unlink()
    authorities.revoked(Issuer.ADMINS).unlink()
    with pytest.raises(ConflictError, match="bring that back"):
        authorities.make(SECRET, clock.now)


def test_authorities_may_sign_leaves_only_and_boxes_only_clients(authorities: Authorities) -> None:
    for issuer in Issuer:
        made = x509.load_pem_x509_certificate(authorities.certificate(issuer).read_bytes())
        limits = made.extensions.get_extension_for_class(x509.BasicConstraints)
        assert limits.critical
        assert (limits.value.ca, limits.value.path_length) == (True, 0)
    boxes = x509.load_pem_x509_certificate(authorities.certificate(Issuer.BOXES).read_bytes())
    uses = boxes.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_each_list_has_a_later_date_and_a_higher_number(
    authorities: Authorities, clock: HandClock
) -> None:
    signer = authorities.signer(Issuer.BOXES)
    lists = [authorities.publish(signer, Issuer.BOXES, [], clock.now) for _ in range(5)]
    dates = [one.last_update_utc for one in lists]
    assert dates == sorted(set(dates))
    assert dates[-1] <= clock.now
    numbers = [
        one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for one in lists
    ]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert authorities.read_list(Issuer.BOXES) == lists[-1]


def test_the_lists_that_take_a_passphrase_last_longer(
    authorities: Authorities, clock: HandClock
) -> None:
    ends = {issuer: authorities.read_list(issuer) for issuer in Issuer}
    for issuer, one in ends.items():
        assert one is not None
        assert one.next_update_utc is not None
        days = 30 if issuer is Issuer.BOXES else 400
        assert one.next_update_utc - clock.now == timedelta(days=days)


def test_a_key_that_is_another_ones_is_told(authorities: Authorities) -> None:
    shutil.copy(authorities.certificate(Issuer.PEOPLE), authorities.certificate(Issuer.BOXES))
    with pytest.raises(LockedError, match="is not the key of"):
        authorities.signer(Issuer.BOXES)


def test_a_broken_list_is_told(authorities: Authorities) -> None:
    authorities.revoked(Issuer.BOXES).write_bytes(b"half")
    with pytest.raises(LockedError, match="move it away"):
        authorities.read_list(Issuer.BOXES)
