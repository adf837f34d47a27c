"""The real programs with a clock in 1970, as after a power cut without a network's time."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.local import BOXES
from cleandesk.clock import clock_synced
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.topics import Channel
from cleandesk_fleet.provision.authorities import Issuer
from tests.broker_settings import link_of
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import ADDRESS, CLIP, frame_of, presence
from tests.system.broker_rig import Member
from tests.system.claim_rig import Box
from tests.system.conftest import MakeRig
from tests.system.provision_rig import Site

#: libfaketime: another wall clock for a process and its libraries, OpenSSL too.
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
pytestmark = [
    pytest.mark.system,
    needs_mosquitto,
    pytest.mark.skipif(
        FAKETIME is None, reason="faketime is not installed: `make test-identity` installs it"
    ),
    pytest.mark.skipif(
        clock_synced(), reason="the network has set this machine's clock: a box would believe it"
    ),
]

IN_1970 = (
    "env",
    f"LD_PRELOAD={FAKETIME}",
    "FAKETIME=@1970-01-02 00:00:00",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
    "NO_FAKE_STAT=1",
)


def _online(site: Site, reader: TlsSettings) -> Status:
    """Return the box's status once it is online, as an operator reads it."""
    with Member(
        site.broker, Issuer.PEOPLE, reader, "log", filters=[ADDRESS.topic(Channel.STATUS)]
    ) as log:

        def online() -> list[Status]:
            said = [Status.model_validate_json(one.payload) for one in log.received]
            return [one for one in said if one.state is Availability.ONLINE]

        eventually(online, "the box is online")
        return online()[-1]


def test_a_box_is_claimed_and_connects_with_the_old_certificate_and_the_next(
    site: Site, make_rig: MakeRig, tmp_path: Path
) -> None:
    site.run("site", "add", ADDRESS.site)
    site.run("operator", "add", "log", "--role", "subscriber", "--out", tmp_path / "log")
    box = Box(site, str(ADDRESS), tmp_path / "box")
    claimed = box.run("claim", "--card", box.card, under=IN_1970)
    assert claimed.returncode == 0, claimed.stderr
    assert json.loads(claimed.stdout)["did"] == "claimed"
    kept = datetime.fromisoformat(box.home.clock.read_text(encoding="ascii").strip())
    assert kept.year > 2000, "the floor is no earlier than what is surely past"
    assert box.run("renew", "--now", under=IN_1970).returncode == 0

    rig = make_rig(
        camera={"source": str(frame_of(CLIP, 15.0, tmp_path / "pictures")), "repeat": True},
        rules=[presence("phone")],
    )
    own = TlsSettings(ca=box.home.root, cert=box.home.box, key=box.home.box, clock=box.home.clock)
    rig.change_box(broker=link_of(site.broker.port(BOXES), own))
    rig.start_box(wrapper=IN_1970)
    files = TlsSettings(
        ca=box.home.root,
        cert=tmp_path / "log" / "log.pem",
        key=tmp_path / "log" / "log.key",
    )
    eventually(lambda: "connected to the broker" in rig.words("box"), "the box", within_s=60)
    status = _online(site, files)
    assert status.at is not None
    assert status.at < datetime(1971, 1, 1, tzinfo=UTC), "its clock is really there"
