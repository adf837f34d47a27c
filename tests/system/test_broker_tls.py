"""Who gets a connection to the real broker, and by which TLS; and what it puts up with."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker import free_ports
from cleandesk.contract.connection import TlsSettings
from cleandesk_fleet.provision import keyfiles, pki
from cleandesk_fleet.provision.authorities import Authorities, Issuer
from cleandesk_fleet.provision.pki import Signer, Span
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.system.broker_rig import LISTENERS, OPERATORS, WitnessedBroker, mark

pytestmark = [pytest.mark.system, needs_mosquitto]

CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessedBroker]:
    home = tmp_path_factory.mktemp("broker")
    with WitnessedBroker(home, OPERATORS, free_ports()) as running:
        yield running


def client(broker: WitnessedBroker, files: TlsSettings | None) -> ssl.SSLContext:
    """Return a context that would do anything: what is refused, the broker refuses."""
    made = ssl.create_default_context(cafile=broker.authorities.root)
    made.set_ciphers("ALL:@SECLEVEL=0")
    if files is not None and files.cert is not None:
        made.load_cert_chain(files.cert, files.key)
    return made


def answer(broker: WitnessedBroker, issuer: Issuer, context: ssl.SSLContext) -> bytes:
    """Connect and say CONNECT; returns the first bytes of the answer.

    Raises:
        OSError: As the broker refuses; `ssl.SSLError` is one.
    """
    address = ("localhost", broker.port(LISTENERS[issuer]))
    with (
        socket.create_connection(address, timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(CONNECT)
        said = secure.recv(4)
        if not said:
            raise ConnectionResetError("closed")
        return said


def refused(broker: WitnessedBroker, issuer: Issuer, context: ssl.SSLContext) -> str:
    """Return why there is no connection, as TLS 1.2 tells it."""
    if context.maximum_version == ssl.TLSVersion.MAXIMUM_SUPPORTED:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError) as caught:
        answer(broker, issuer, context)
    return caught.value.reason


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("issuer", Issuer)
def test_a_certificate_of_the_listeners_authority_is_taken(
    broker: WitnessedBroker, issuer: Issuer, version: ssl.TLSVersion
) -> None:
    context = client(broker, broker.issue(issuer, "s1/b1"))
    context.minimum_version = context.maximum_version = version
    assert answer(broker, issuer, context) == CONNACK


@pytest.mark.parametrize("issuer", Issuer)
def test_no_certificate_no_connection(broker: WitnessedBroker, issuer: Issuer) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        answer(broker, issuer, client(broker, None))
    assert "HANDSHAKE_FAILURE" in refused(broker, issuer, client(broker, None))


@pytest.mark.parametrize("issuer", Issuer)
def test_without_tls_no_connection(broker: WitnessedBroker, issuer: Issuer) -> None:
    address = ("localhost", broker.port(LISTENERS[issuer]))
    with socket.create_connection(address, timeout=20) as plain:
        plain.sendall(CONNECT)
        try:
            said = plain.recv(64)
        except ConnectionResetError:
            said = b""
    assert not said.startswith(CONNACK[:1])


@pytest.mark.parametrize("issuer", Issuer)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_an_older_tls_is_refused(
    broker: WitnessedBroker, issuer: Issuer, version: ssl.TLSVersion
) -> None:
    context = client(broker, broker.issue(issuer, "s1/b1"))
    context.minimum_version = context.maximum_version = version
    assert refused(broker, issuer, context) == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize("ciphers", ["AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "aNULL"])
def test_weak_ciphers_are_refused(broker: WitnessedBroker, ciphers: str) -> None:
    context = client(broker, broker.issue(Issuer.BOXES, "s1/b1"))
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    assert "HANDSHAKE_FAILURE" in refused(broker, Issuer.BOXES, context)


@pytest.mark.parametrize(
    ("listener", "holder"), [(a, b) for a in Issuer for b in Issuer if a is not b]
)
def test_each_listener_takes_only_its_own_authority(
    broker: WitnessedBroker, listener: Issuer, holder: Issuer
) -> None:
    context = client(broker, broker.issue(holder, "admin"))
    assert refused(broker, listener, context) == "TLSV1_ALERT_UNKNOWN_CA"


def test_another_fleets_certificate_is_refused(broker: WitnessedBroker, tmp_path: Path) -> None:
    stranger = WitnessedBroker(tmp_path)
    stranger.prepare()
    context = client(broker, stranger.issue(Issuer.BOXES, "s1/b1"))
    assert refused(broker, Issuer.BOXES, context) == "TLSV1_ALERT_UNKNOWN_CA"


@pytest.mark.parametrize(
    ("begins_h", "ends_h"), [(-48, -1), (1, 48)], ids=["expired", "not yet valid"]
)
def test_a_certificate_out_of_its_time_is_refused(
    broker: WitnessedBroker, tmp_path: Path, begins_h: int, ends_h: int
) -> None:
    now = datetime.now(UTC)
    span = Span(now + timedelta(hours=begins_h), now + timedelta(hours=ends_h))
    context = client(broker, made(broker.authorities, tmp_path, span))
    assert "CERTIFICATE" in refused(broker, Issuer.BOXES, context)


def test_a_servers_certificate_is_no_clients(broker: WitnessedBroker) -> None:
    files = broker.issue(Issuer.PEOPLE, "server", use=pki.SERVER, names=["localhost"])
    reason = refused(broker, Issuer.PEOPLE, client(broker, files))
    assert "CERTIFICATE" in reason


def test_a_stolen_enrolment_key_makes_no_broker_that_a_box_believes(
    broker: WitnessedBroker,
) -> None:
    files = broker.issue(Issuer.BOXES, "broker", use=pki.SERVER, names=["localhost"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(str(files.cert), files.key)
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    box = ssl.create_default_context(cafile=broker.authorities.root)
    one = box.wrap_bio(here, there, server_hostname="localhost")
    other = server.wrap_bio(there, here, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        one.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        other.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unsuitable|invalid|purpose"):
        one.do_handshake()


def made(authorities: Authorities, folder: Path, span: Span) -> TlsSettings:
    """Return a box's certificate of a given span."""
    signer: Signer = authorities.signer(Issuer.BOXES)
    key = pki.new_key()
    certificate = pki.leaf(signer, key.public_key(), "s1/b1", span)
    keyfiles.write_certificate(folder / "box.pem", certificate, signer.certificate)
    keyfiles.write_key(folder / "box.key", key)
    return TlsSettings(ca=authorities.root, cert=folder / "box.pem", key=folder / "box.key")


def test_a_packet_that_is_too_large_ends_its_sender_only(broker: WitnessedBroker) -> None:
    with (
        broker.witness() as witness,
        broker.member("s1/b1") as box,
        broker.member("s1/b2") as other,
    ):
        large = bytes(1_100_000)
        box._client.publish("cleandesk/v1/s1/b1/still/x", large, qos=1)
        eventually(lambda: box.disconnects, "the end of the connection")
        seen = mark()
        other.say("cleandesk/v1/s1/b2/status", seen)
        eventually(lambda: witness.saw(seen), "the other box's word")
        assert other.disconnects == 0
        assert not witness.saw(large)


def test_what_waits_for_the_subscriber_outlives_a_restart(tmp_path: Path) -> None:
    topic = "cleandesk/v1/s1/b1/violation"
    with WitnessedBroker(tmp_path, OPERATORS, free_ports()) as broker:
        first = broker.member("subscriber", Issuer.PEOPLE, filters=[topic], keeps_s=600)
        with first:
            pass
        waiting = [mark() for _ in range(20)]
        with broker.member("s1/b1") as box:
            for payload in waiting:
                assert box.say(topic, payload) == 0
        broker.stop()
        broker.start()
        with broker.member("subscriber", Issuer.PEOPLE, keeps_s=600) as again:
            eventually(lambda: len(again.received) == len(waiting), "all that waited")
            assert [message.payload for message in again.received] == waiting
