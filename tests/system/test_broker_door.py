"""Who is revoked, or whose certificate ends, is out: with the connection that was open, too."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from broker import free_ports
from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk_fleet.provision import door as doors
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.door import Door, Watch, await_refusal
from cleandesk_fleet.provision.errors import BrokerError
from tests.eventually import eventually
from tests.mosquitto import free_port, needs_mosquitto
from tests.system.broker_rig import OPERATORS, Member, WitnessedBroker

pytestmark = [pytest.mark.system, needs_mosquitto]

WITHIN_S = 5.0
STATUS = "cleandesk/v1/s1/{}/status"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[WitnessedBroker]:
    with WitnessedBroker(tmp_path, OPERATORS, free_ports()) as running:
        yield running


@pytest.fixture
def door(broker: WitnessedBroker) -> Door:
    return Door(broker.settings(8885, broker.issue(Issuer.ADMINS, "admin")))


def revoke(broker: WitnessedBroker, *holders: TlsSettings, issuer: Issuer = Issuer.BOXES) -> None:
    """Publish a list that names these, bring it to the broker, and make it read it."""
    passphrase = None if issuer is Issuer.BOXES else b"a throw-away passphrase"
    now = datetime.now(UTC)
    entries = [(serial(one), now) for one in holders]
    signer = broker.authorities.signer(issuer, passphrase)
    broker.authorities.publish(signer, issuer, entries, now)
    broker.copy_lists()
    broker.reload()


def certificate(holder: TlsSettings) -> x509.Certificate:
    assert holder.cert is not None
    return x509.load_pem_x509_certificate(holder.cert.read_bytes())


def serial(holder: TlsSettings) -> int:
    return certificate(holder).serial_number


def boxes_listener(broker: WitnessedBroker, files: TlsSettings) -> BrokerSettings:
    return broker.settings(8883, files)


def test_a_revoked_box_is_out_at_once_and_the_others_stay(
    broker: WitnessedBroker, door: Door
) -> None:
    canary = broker.issue(Issuer.BOXES, "canary/1")
    with broker.member("s1/b1") as box, broker.member("s1/b2") as other, broker.witness() as seer:
        began = time.monotonic()
        revoke(broker, box.files, canary)
        await_refusal(boxes_listener(broker, canary), canary)
        door.put_out(["s1/b1"])
        eventually(lambda: not box.up, "the end of the revoked connection")
        assert time.monotonic() - began < WITHIN_S
        # It tries again every second; by then it would have been let in.
        tries = broker.log.read_text().count("certificate verify failed")
        eventually(
            lambda: broker.log.read_text().count("certificate verify failed") >= tries + 4,
            "two more tries",
        )
        assert box.connects == 1
        assert other.say(STATUS.format("b2"), b"still here") == 0
        eventually(lambda: seer.saw(b"still here"), "the other box's word")
        assert (other.connects, other.disconnects) == (1, 0)
        assert (seer.connects, seer.disconnects) == (1, 0)


def test_a_new_list_alone_leaves_the_open_connection(broker: WitnessedBroker) -> None:
    """What the door is for; should a newer broker close it by itself, the door may go."""
    canary = broker.issue(Issuer.BOXES, "canary/1")
    with broker.member("s1/b1") as box:
        revoke(broker, box.files, canary)
        await_refusal(boxes_listener(broker, canary), canary)
        assert box.say(STATUS.format("b1")) in (0, 16)
        assert box.disconnects == 0


def test_a_revoked_operator_is_out(broker: WitnessedBroker, door: Door) -> None:
    with broker.member("ops-s1", Issuer.PEOPLE) as ops, broker.member("subscriber", Issuer.PEOPLE):
        revoke(broker, ops.files, issuer=Issuer.PEOPLE)
        await_refusal(broker.settings(8884, ops.files), ops.files)
        door.put_out(["ops-s1"])
        eventually(lambda: not ops.up, "the end of the revoked connection")
        await_refusal(broker.settings(8884, ops.files), ops.files)


def test_lists_of_one_second_are_each_taken(broker: WitnessedBroker) -> None:
    holders = [broker.issue(Issuer.BOXES, f"s1/b{i}") for i in range(4)]
    for i in range(len(holders)):
        revoke(broker, *holders[: i + 1])
        await_refusal(boxes_listener(broker, holders[i]), holders[i])


def test_a_resumed_tls_session_does_not_let_a_revoked_box_in(broker: WitnessedBroker) -> None:
    files = broker.issue(Issuer.BOXES, "s1/b1")
    context = ssl.create_default_context(cafile=files.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(str(files.cert), files.key)
    address = ("localhost", broker.port(8883))
    with (
        socket.create_connection(address, timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        session = secure.session
    revoke(broker, files)
    await_refusal(boxes_listener(broker, files), files)
    with socket.create_connection(address, timeout=20) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="localhost", session=session)


def test_an_expired_box_is_out_by_itself_and_comes_back_with_a_new_certificate(
    broker: WitnessedBroker, door: Door
) -> None:
    # Long enough to connect by it on a slow machine.
    files = broker.issue(Issuer.BOXES, "s1/b1", lasts=timedelta(seconds=10))
    ends = certificate(files).not_valid_after_utc
    gone: list[str] = []

    def enforce() -> None:
        if datetime.now(UTC) >= ends and not gone:
            door.put_out(["s1/b1"])
            gone.append("s1/b1")

    box = Member(broker, Issuer.BOXES, files, "s1/b1")
    with box, broker.member("s1/b2") as other, Watch(enforce):
        eventually(lambda: not box.up, "the end of the expired connection")
        assert timedelta() <= datetime.now(UTC) - ends < timedelta(seconds=WITHIN_S)
        eventually(lambda: gone == ["s1/b1"])
        eventually(lambda: "certificate verify failed" in broker.log.read_text(), "one more try")
        assert box.connects == 1
        assert other.disconnects == 0
        with broker.member("s1/b1") as renewed:
            assert renewed.say(STATUS.format("b1")) in (0, 16)
    assert gone == ["s1/b1"]


def test_a_broker_that_keeps_the_old_list_is_told(
    broker: WitnessedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "PATIENCE_S", 0.5)
    canary = broker.issue(Issuer.BOXES, "canary/1")
    with pytest.raises(BrokerError, match="does not work with the new revocation list"):
        await_refusal(boxes_listener(broker, canary), canary)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho's socket
def test_a_broker_that_is_down_is_told(
    broker: WitnessedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "PATIENCE_S", 0.5)
    files = broker.issue(Issuer.ADMINS, "admin")
    nowhere = BrokerSettings(host="localhost", port=free_port(), tls=files)
    with pytest.raises(BrokerError, match="does not take the administrator"):
        Door(nowhere).put_out(["s1/b1"])
    with pytest.raises(BrokerError, match="no connection"):
        await_refusal(nowhere, files)
