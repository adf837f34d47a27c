"""The page for ops as its own process, on a log that a real subscriber fills from a real broker."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import yaml
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import Table, func, select

from cleandesk.contract.stills import StillHeaders
from cleandesk.contract.topics import Address, Channel
from cleandesk.page import certificate
from cleandesk_fleet.subscriber.tables import appeals, boxes, events, stills
from cleandesk_fleet.web.store import Store
from tests.eventually import PATIENCE_S, eventually
from tests.leaving import leave
from tests.mosquitto import Mosquitto, free_port
from tests.system.page_rig import launch
from tests.system.subscriber_rig import PROGRAM, Subscriber
from tests.unit.subscriber.make import event_fields, health_fields, hex_id, status_fields
from tests.unit.subscriber.test_appeals import appeal_fields

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
ROLES = ("viewer", "reviewer", "admin")
PICTURES = Path(__file__).resolve().parents[2] / "build" / "ops"
DESK = Address("berlin", "desk-1")
LAY = [0.3, 0.4, 0.42, 0.66]


class Fleet:
    """Publishes as any box; the test's broker lets it."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(1000)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._seq: dict[Address, int] = {}

    def close(self) -> None:
        """Leave."""
        leave(self._client)

    def say(self, box: Address, channel: Channel, fields: dict[str, Any]) -> None:
        """Publish a message."""
        sent = self._client.publish(box.topic(channel), json.dumps(fields).encode(), qos=1)
        sent.wait_for_publish(PATIENCE_S)

    def event(self, box: Address, name: object, opened: datetime, **changes: Any) -> None:
        """Publish an event of the violation of this name."""
        seq = self._seq[box] = self._seq.get(box, 0) + 1
        fields = event_fields(
            seq,
            **{
                "violation_id": hex_id("violation", name),
                "event_id": hex_id("event", str(box), seq),
                "epoch": hex_id("epoch", str(box)),
                "opened_at": opened.isoformat(),
                "at": opened.isoformat(),
            }
            | changes,
        )
        self.say(box, Channel.VIOLATION, fields)

    def violation(self, box: Address, name: object, at: datetime, s: float, **more: Any) -> None:
        """Publish one that is over."""
        self.event(box, name, at, **more)
        over = {"phase": "close", "reason": "cleared", "dwell_s": s}
        ended = (at + timedelta(seconds=s)).isoformat()
        self.event(box, name, at, **more | over | {"at": ended})

    def appeal(self, box: Address, name: object, note: str | None, at: datetime) -> None:
        """Publish an appeal."""
        fields = appeal_fields(1, appeal_id=hex_id("appeal", name), at=at.isoformat())
        fields |= {"violation_id": hex_id("violation", name)} | ({"note": note} if note else {})
        self.say(box, Channel.APPEAL, fields)

    def still(self, box: Address, name: object, at: datetime) -> None:
        """Publish a picture of a phone, as redaction leaves it."""
        content = phone()
        headers = StillHeaders.of(content, still_id=hex_id("still", name), at=at, clock_synced=True)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = list(headers.to_user())
        topic = box.topic(Channel.STILL, hex_id("violation", name))
        sent = self._client.publish(topic, content, qos=1, properties=properties)
        sent.wait_for_publish(PATIENCE_S)


def phone() -> bytes:
    """Return a JPEG: a phone within coarse blocks."""
    rng = np.random.default_rng(7)
    blocks = rng.integers(90, 150, (12, 16, 3), dtype=np.uint8)
    picture = cv2.resize(blocks, (320, 240), interpolation=cv2.INTER_NEAREST)
    cv2.rectangle(picture, (110, 50), (210, 190), (28, 28, 30), -1)
    cv2.rectangle(picture, (117, 60), (203, 180), (150, 110, 60), -1)
    return bytes(cv2.imencode(".jpg", picture)[1])


@dataclass
class Ops:
    """The page, what fills its log, and a browser."""

    home: Path
    port: int
    fleet: Fleet
    subscriber: Subscriber
    browser: Browser
    store: Store
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"https://localhost:{self.port}"

    @property
    def config(self) -> Path:
        """The page's settings."""
        return self.home / "web.yaml"

    def start(self) -> Self:
        """Make settings and accounts, start the page, and return once it answers."""
        pem = str(certificate.ensure(self.home / "pem", "localhost", ["127.0.0.1"]))
        given = {
            "schema": 1,
            "url": self.url,
            "listen": {"port": self.port, "cert": pem, "key": pem},
            "store": {"path": str(self.subscriber.log)},
        }
        self.config.write_text(yaml.safe_dump(given), encoding="utf-8")
        for role in ROLES:
            self.command("account", "add", role, "--role", role, typed=PASSWORD)
        with (self.home / "web.err").open("ab") as words:
            self.process = subprocess.Popen(
                [PROGRAM, "web", "run", "--config", self.config], stdout=words, stderr=words
            )
        eventually(lambda: "page started" in self.words, "the page's start")
        return self

    @property
    def words(self) -> str:
        """What the page said."""
        return (self.home / "web.err").read_text(encoding="utf-8")

    def command(self, *arguments: str, typed: str = "") -> str:
        """Run one of the page's commands; return what it printed."""
        done = subprocess.run(
            [PROGRAM, "web", *arguments, "--config", self.config],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> int:
        """End it in order; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def logged(self, table: Table) -> int:
        """Return how many rows the log has."""
        with self.store.reading() as log:
            return int(log.scalar(select(func.count()).select_from(table)) or 0)

    def context(self, **settings: Any) -> BrowserContext:
        """Return a browser of its own; the page's certificate is nobody's."""
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB"} | settings
        context = self.browser.new_context(base_url=self.url, ignore_https_errors=True, **options)
        context.set_default_timeout(PATIENCE_S * 2000)
        return context

    def as_(self, role: str, **settings: Any) -> Page:
        """Return a window whose reader has signed in."""
        page = self.context(**settings).new_page()
        page.goto("/")
        page.get_by_label("Name").fill(role)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Fleet").wait_for()
        return page


def fill(ops: Ops, now: datetime) -> None:
    """Let a small fleet live through some days."""
    fleet = ops.fleet
    names = [Address(site, f"desk-{n}") for site in ("berlin", "lisbon") for n in range(1, 8)]
    for place, box in enumerate(names):
        state = "offline" if place == 4 else "online"
        waiting = {"depth": 12, "oldest_s": 4210.0, "next_seq": 40} if place == 2 else {}
        camera = {"fault": "black", "fault_detail": "no light"} if place == 9 else {}
        told = health_fields(at=now.isoformat(), camera=camera, outbox=waiting)
        told["outbox"]["epoch"] = hex_id("epoch", str(box))
        fleet.say(box, Channel.HEALTH, told)
        fleet.say(
            box, Channel.STATUS, status_fields(state) | {"version": "0.9.2", "model": "desk 3"}
        )
        privacy = {"state": "break" if place == 5 else "working", "since": now.isoformat()}
        fleet.say(box, Channel.PRIVACY, privacy)
    things = [("phone", "high"), ("paper", "medium"), ("pen", "low"), ("phone", "high")]
    for number in range(66):
        thing, severity = things[number % len(things)]
        box = DESK if number < 12 else names[number % len(names)]
        at = now - timedelta(minutes=37 * number + 20)
        more = {"class": thing, "rule": f"no-{thing}", "severity": severity}
        fleet.violation(box, number, at, 20.0 + number % 9 * 41, place=LAY, **more)
    fleet.event(DESK, "open", now - timedelta(minutes=4), place=LAY)
    fleet.still(DESK, "open", now - timedelta(minutes=4))
    fleet.appeal(DESK, 0, "That is my glasses case. It lies there every day.", now)
    fleet.appeal(DESK, 3, None, now)
    eventually(lambda: ops.logged(events) == 133, "the log of all events")
    eventually(lambda: (ops.logged(appeals), ops.logged(stills)) == (2, 1), "appeals and stills")
    eventually(lambda: ops.logged(boxes) == 14, "the boxes")


@contextmanager
def running(home: Path) -> Iterator[Ops]:
    """Run broker, subscriber, page and browser on a fleet that was filled."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(home))
        subscriber = stack.enter_context(Subscriber(home, broker.port)).started()
        fleet = Fleet(broker.port)
        stack.callback(fleet.close)
        store = Store(subscriber.log)
        stack.callback(store.close)
        browser = launch(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        ops = Ops(home, free_port(), fleet, subscriber, browser, store).start()
        try:
            fill(ops, datetime.now(UTC).replace(microsecond=0))
            yield ops
        finally:
            code = ops.stop()
        assert code == 0, ops.words
        assert "Traceback" not in ops.words
