"""Who gets a connection to the cluster, and by which TLS: as on mosquitto, with one listener."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleandesk.contract.connection import TlsSettings
from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.pki import Span
from tests.cluster.rabbitmq import Cluster
from tests.system.broker_rig import WitnessedBroker
from tests.system.test_broker_door import revoke
from tests.system.test_broker_tls import answer, client, made, refused


@pytest.fixture(scope="module")
def broker(cluster: Cluster) -> Cluster:
    return cluster


#: Whom an authority may vouch for.
NAMES = {Issuer.BOXES: "s1/b1", Issuer.PEOPLE: "subscriber", Issuer.ADMINS: "admin"}
CONNECTION_REFUSED = b"\x20"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("issuer", Issuer)
def test_a_certificate_of_each_authority_is_taken(
    broker: Cluster, issuer: Issuer, version: ssl.TLSVersion
) -> None:
    context = client(broker, broker.issue(issuer, NAMES[issuer]))
    context.minimum_version = context.maximum_version = version
    # The empty client id is nobody's name: that is refused by MQTT, not by TLS.
    assert answer(broker, issuer, context).startswith(CONNECTION_REFUSED)


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        *((Issuer.BOXES, name) for name in ("subscriber", "admin", "witness")),
        *((issuer, "s1/b1") for issuer in (Issuer.PEOPLE, Issuer.ADMINS)),
    ],
)
def test_an_authority_vouches_for_its_own_kind_of_names_only(
    broker: Cluster, issuer: Issuer, name: str
) -> None:
    """A stolen enrolment key makes no operator."""
    assert refused(broker, issuer, client(broker, broker.issue(issuer, name)))


def test_no_certificate_no_connection(broker: Cluster) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        answer(broker, Issuer.BOXES, client(broker, None))


def test_without_tls_no_connection(broker: Cluster) -> None:
    with socket.create_connection(("localhost", broker.port(8883)), timeout=20) as plain:
        plain.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
        try:
            said = plain.recv(64)
        except ConnectionResetError:
            said = b""
    assert not said.startswith(CONNECTION_REFUSED)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_an_older_tls_is_refused(broker: Cluster, version: ssl.TLSVersion) -> None:
    context = client(broker, broker.issue(Issuer.BOXES, "s1/b1"))
    context.minimum_version = context.maximum_version = version
    assert refused(broker, Issuer.BOXES, context) == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize("ciphers", ["AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "aNULL"])
def test_weak_ciphers_are_refused(broker: Cluster, ciphers: str) -> None:
    context = client(broker, broker.issue(Issuer.BOXES, "s1/b1"))
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    assert refused(broker, Issuer.BOXES, context)


def test_another_fleets_certificate_is_refused(broker: Cluster, tmp_path: Path) -> None:
    stranger = WitnessedBroker(tmp_path)
    stranger.files.mkdir()
    stranger.authorise()
    assert refused(broker, Issuer.BOXES, client(broker, stranger.issue(Issuer.BOXES, "s1/b1")))


@pytest.mark.parametrize(
    ("begins_h", "ends_h"), [(-48, -1), (1, 48)], ids=["expired", "not yet valid"]
)
def test_a_certificate_out_of_its_time_is_refused(
    broker: Cluster, tmp_path: Path, begins_h: int, ends_h: int
) -> None:
    now = datetime.now(UTC)
    span = Span(now + timedelta(hours=begins_h), now + timedelta(hours=ends_h))
    context = client(broker, made(broker.authorities, tmp_path, span))
    assert refused(broker, Issuer.BOXES, context)


def test_a_servers_certificate_is_no_clients(broker: Cluster) -> None:
    files = broker.issue(Issuer.PEOPLE, "server", use=pki.SERVER, names=["localhost"])
    assert refused(broker, Issuer.PEOPLE, client(broker, files))


def test_a_revoked_box_is_refused_at_once_and_others_are_not(broker: Cluster) -> None:
    gone, left = (broker.issue(Issuer.BOXES, name) for name in ("s1/gone", "s1/left"))
    assert reached(broker, gone)
    revoke(broker, gone)
    assert refused(broker, Issuer.BOXES, client(broker, gone))
    assert reached(broker, left)


def reached(broker: Cluster, files: TlsSettings) -> bool:
    """Say whether TLS lets somebody through to MQTT, on each of the nodes."""
    answers = [answer(broker, Issuer.BOXES, client(broker, files)) for _ in broker.nodes]
    return all(one.startswith(CONNECTION_REFUSED) for one in answers)
