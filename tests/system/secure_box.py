"""A box's process and a subscriber's on the production broker, which may be replaced."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt

from broker.local import BOXES, PASSPHRASE, PEOPLE
from cleandesk.contract.topics import Channel
from cleandesk_fleet.provision import keyfiles, pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.pki import Span
from tests.broker_settings import link_of
from tests.eventually import eventually
from tests.rig import ADDRESS, Rig
from tests.system.broker_rig import OPERATORS, WITNESS, WitnessedBroker

HOUR = timedelta(hours=1)


class SecureBroker(WitnessedBroker):
    """The production broker by a name of its own; its certificate may be out of its time."""

    def __init__(self, home: Path, ports: Mapping[int, int]) -> None:
        home.mkdir()
        super().__init__(home, OPERATORS, ports)

    def date(self, begins: timedelta, ends: timedelta) -> None:
        """Give it a certificate of another span, from now."""
        self._write(Issuer.PEOPLE, "broker", (begins, ends), self.files / "broker")

    def date_box(self, begins: timedelta, ends: timedelta) -> None:
        """Give the box's certificate, made before, another span, from now."""
        name = str(ADDRESS)
        files = self.home / Issuer.BOXES / name.replace("/", "_")
        self._write(Issuer.BOXES, name, (begins, ends), files)

    def _write(
        self, issuer: Issuer, name: str, span: tuple[timedelta, timedelta], files: Path
    ) -> None:
        people = issuer is Issuer.PEOPLE
        signer = self.authorities.signer(issuer, PASSPHRASE if people else None)
        now, key = datetime.now(UTC), pki.new_key()
        made = pki.leaf(
            signer,
            key.public_key(),
            name,
            Span(now + span[0], now + span[1]),
            use=pki.SERVER if people else pki.CLIENT,
            names=("localhost",) if people else (),
        )
        keyfiles.write_certificate(files.with_suffix(".pem"), made, signer.certificate)
        keyfiles.write_key(files.with_suffix(".key"), key)

    def back_up(self, to: Path) -> None:
        """Keep what it has stored, in order."""
        self.stop()
        shutil.copytree(self.home / "store", to)
        self.start()

    def restore(self, kept: Path) -> None:
        """Go back to what was kept."""
        self.stop()
        shutil.rmtree(self.home / "store")
        shutil.copytree(kept, self.home / "store")
        self.start()

    def retained(self) -> dict[str, mqtt.MQTTMessage]:
        """Return what it retains, by topic."""
        with self.member(WITNESS, Issuer.PEOPLE, filters=["#"]) as reader:
            reader.say("end/of/retained", b"end")
            eventually(lambda: "end/of/retained" in reader.topics(), "the end of what is retained")
            return {one.topic: one for one in reader.received if one.retain}

    def says(self, channel: Channel) -> bytes:
        """Return what it retains on one of the box's topics; empty if nothing."""
        found = self.retained().get(ADDRESS.topic(channel))
        return b"" if found is None else bytes(found.payload)

    def say(self, topic: str, payload: bytes) -> None:
        """Retain something."""
        with self.member(WITNESS, Issuer.PEOPLE) as writer:
            assert writer.say(topic, payload, retain=True) in (0, 16)


def connect(rig: Rig, broker: SecureBroker) -> None:
    """Write box's and subscriber's settings for a broker."""
    box = broker.issue(Issuer.BOXES, str(ADDRESS))
    people = broker.issue(Issuer.PEOPLE, "subscriber")
    rig.change_box(broker=link_of(broker.port(BOXES), box))
    rig.change_subscriber(broker=link_of(broker.port(PEOPLE), people))
