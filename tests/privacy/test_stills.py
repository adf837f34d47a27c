"""Stills on a whole site: what leaves is what the worker saw first, and is gone after its time."""

import base64
import hashlib
import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cleandesk.contract.messages import BreakReason
from cleandesk.contract.stills import MAX_STILL, StillHeaders
from cleandesk.contract.topics import Channel, Command, Side
from cleandesk.contract.worker_messages import AppealReason
from cleandesk.worker import protocol as p
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.page_client import PageClient
from tests.rig import ADDRESS, BIN, CLIP, Rig, frame_of, presence, wait_for_health
from tests.system.conftest import MakeRig
from tests.unit.evidence.keys import certificate_of, opened, rsa_key
from tests.unit.link.listener import Listener

pytestmark = [pytest.mark.system, needs_mosquitto]

ALONE_S = 12.0  # of the demo's clip: a phone and a sheet lie there, and nobody is about
#: Longer than what is done meanwhile takes a slow machine: an objection or a kill; five commands.
DELAY_S, KEEP_S = 15.0, 45.0
#: A still is made at the lowest priority.
PATIENCE_S = 120.0


def _rig(make_rig: MakeRig, folder: Path, **stills: object) -> Rig:
    rig = make_rig(
        camera={"source": str(frame_of(CLIP, ALONE_S, folder / "pictures")), "repeat": True},
        rules=[presence("phone")],
        stills={"enabled": True, "delay_s": DELAY_S, **stills},
    )
    settings = yaml.safe_load(rig.subscriber_config.read_text(encoding="utf-8"))
    settings["stills"] = {"keep_h": KEEP_S / 3600}
    rig.subscriber_config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return rig


def _checked(page: PageClient) -> p.Ledger | None:
    ledger = page.ask(p.GetLedger(limit=200))
    assert isinstance(ledger, p.Ledger)
    return None if ledger.whole is None else ledger


def _entries(page: PageClient, kind: str) -> list[p.Entry]:
    ledger = eventually(lambda: _checked(page), "the end of the ledger's check")
    assert ledger.whole
    return [entry for entry in ledger.entries if entry.kind == kind]


def _stills(page: PageClient) -> list[p.Entry]:
    """Wait until the worker sees a still in the ledger."""
    eventually(lambda: _entries(page, "still"), "the still in the ledger", within_s=PATIENCE_S)
    return _entries(page, "still")


def _arrived(rig: Rig) -> None:
    """Wait until the site has a still."""
    eventually(
        lambda: rig.ask("stills", "--format", "jsonl"), "the still at the site", within_s=PATIENCE_S
    )


def _objected_to_in_the_delay(rig: Rig, heard: Listener) -> p.Entry:
    """Object to the violation of the first still, and take a break; return its entry, once sent."""
    with rig.page() as page:
        (entry,) = _stills(page)
        assert (entry.sent_at, heard.of("still")) == (None, [])
        violation_id = entry.topic.rsplit("/", 1)[-1]
        mine = p.Object(violation_id=violation_id, reason=AppealReason.NOT_MINE)
        assert isinstance(page.ask(mine), p.Done)
        page.state(p.StartBreak(reason=BreakReason.REST))
        _arrived(rig)
        (again,) = _entries(page, "still")
    assert again.sent_at is not None
    assert (again.picture, again.chain) == (entry.picture, entry.chain)
    assert again.sent_at - entry.at >= timedelta(seconds=DELAY_S - 0.1)
    return again


def _kept(rig: Rig, digest: str) -> bytes:
    """Return what the subscriber keeps of the one still, in its file and by its command."""
    (row,) = rig.ask("stills", "--format", "jsonl")
    (file,) = (rig.home / "log.db.stills").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (row["sha256"], file.name, row["class"]) == (digest, f"{digest}.jpg", "phone")
    copy = rig.home / "copy.jpg"
    arguments = ["--db", rig.home / "log.db", "export", row["still_id"], "--to", copy]
    subprocess.run([BIN / "cleandesk-subscriber", "stills", *arguments], check=True)
    assert copy.read_bytes() == file.read_bytes()
    return file.read_bytes()


def test_the_worker_sees_it_first_and_objects_and_after_its_time_it_is_gone(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    rig = _rig(make_rig, tmp_path)
    with Listener(rig.broker.port, answers=False) as heard:
        rig.start_subscriber()
        rig.start_box()
        entry = _objected_to_in_the_delay(rig, heard)
        (payload,) = {one.payload for one in heard.of("still")}
        channels = [one.channel for one in list(heard.heard)]
    assert channels.index("appeal") < channels.index("still")
    assert entry.picture is not None
    assert base64.b64decode(entry.picture) == payload
    headers = StillHeaders.read(tuple(heard.of("still")[0].user.items()))
    assert headers.sha256 == hashlib.sha256(payload).hexdigest()
    assert _kept(rig, headers.sha256) == payload
    picture = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert max(picture.shape) <= 320
    assert len(payload) <= MAX_STILL
    (row,) = rig.violations()
    assert (row["appealed"], row["still"][:6]) == ("not_mine", "until ")
    with Listener(rig.broker.port, answers=False) as late:
        eventually(lambda: late.of("status"), "what the broker retains")
        assert late.of("still") == []

    eventually(
        lambda: rig.violations()[0]["still"].startswith("deleted "),
        "its deletion",
        within_s=KEEP_S + PATIENCE_S,
    )
    assert rig.ask("stills", "--format", "jsonl") == []
    (proof,) = rig.ask("stills", "--deleted", "--format", "jsonl")
    assert (proof["sha256"], proof["file_gone"]) == (headers.sha256, True)
    received, deleted = (datetime.fromisoformat(proof[k]) for k in ("received_at", "deleted_at"))
    assert deleted - received >= timedelta(seconds=KEEP_S)
    assert list((rig.home / "log.db.stills").iterdir()) == []
    for file in rig.home.glob("log.db*"):
        assert file.is_dir() or payload[:64] not in file.read_bytes()
    assert rig.stop("box") == 0


def test_through_a_kill_in_the_delay_it_is_sent_once_as_it_was_and_sealed(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    certificate, key = certificate_of(tmp_path, "site", rsa_key(2048))
    rig = _rig(make_rig, tmp_path, encrypt_to=str(certificate))
    rig.start_subscriber()
    with Listener(rig.broker.port, answers=False) as heard:
        rig.start_box()
        with rig.page() as page:
            (entry,) = _stills(page)
            shown = next(one for one in _entries(page, "note") if one.picture)
        rig.kill("box")
        assert heard.of("still") == []
        (rig.home / "page.sock").unlink()
        rig.start_box()
        _arrived(rig)
        assert {one.user["still_id"] for one in heard.of("still")} == {entry.message_id}
        (payload,) = {one.payload for one in heard.of("still")}
    assert (entry.picture, entry.payload[:24]) == (None, "(application/pkcs7-mime,")
    assert (shown.message_id, shown.sent_at) == ("sealed_still", None)
    assert opened(payload, key).stdout == base64.b64decode(shown.picture or "")


def test_a_spot_check_that_finds_it_may_have_one_too(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = _rig(make_rig, tmp_path, delay_s=0)
    with Listener(rig.broker.port) as heard:
        rig.start_box()
        eventually(lambda: heard.of("still"), "the still of the violation", within_s=PATIENCE_S)
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = b"look"
        topic = ADDRESS.command(Command.SPOT_CHECK, Side.REQUEST)
        heard.client.publish(topic, b'{"look_s": 1}', qos=1, properties=properties)
        eventually(
            lambda: len({one.user["still_id"] for one in heard.of("still")}) > 1,
            "another",
            within_s=PATIENCE_S,
        )
        (verdict,) = json.loads(heard.of("cmd")[-1].payload)["verdicts"]
        assert {one.topic for one in heard.of("still")} == {
            ADDRESS.topic(Channel.STILL, verdict["violation_id"])
        }
        stills = wait_for_health(rig.broker.port, lambda h: h.stills is not None).stills
        assert stills is not None
        assert (stills.refused, stills.dropped) == (0, 0)
