"""Two subscribers of one log, each for a site of its own."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cleandesk.contract.topics import Address, Channel
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.postgresql import PostgreSQL, needs_postgresql, words_of
from tests.system.subscriber_rig import Box, Subscriber
from tests.unit.subscriber.make import event_fields, health_fields, hex_id, status_fields

pytestmark = [pytest.mark.system, needs_mosquitto, needs_postgresql]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


@pytest.fixture
def url() -> Iterator[str]:
    server = PostgreSQL(options=()).start()
    yield words_of(server.empty())
    server.close()


def test_each_logs_its_own_sites_and_judges_them(
    tmp_path: Path, broker: Mosquitto, url: str
) -> None:
    log: dict[str, object] = {"store": {"url": url}, "silent_after_s": 5}
    with ExitStack() as stack:
        subscribers, desks = {}, {}
        for site in ("here", "there"):
            group = {"group": f"a-secret-of-{site}-alone"}
            subscribers[site] = stack.enter_context(
                Subscriber(
                    tmp_path,
                    broker.port,
                    site,
                    client_id=site,
                    sites=[site],
                    redundancy=group,
                    **log,
                )
            ).started()
            desks[site] = stack.enter_context(Box(broker.port, Address(site, "desk")))
        one = subscribers["here"]
        for site, desk in desks.items():
            desk.send(json.dumps(status_fields()).encode(), Channel.STATUS)
            fields = event_fields(1, event_id=hex_id(site), epoch=hex_id(site, "epoch"))
            desk.send(json.dumps(fields).encode())
            desk.wait_for(hex_id(site))
        states = {"here": "online", "there": "online"}
        eventually(
            lambda: {row["site"]: row["status"] for row in one.ask("boxes")} == states, "both boxes"
        )
        eventually(lambda: len(one.ask("alarms", "--kind", "silent")) == 2, "both silences")

        def one_is_left() -> bool:
            # Said each time: five seconds later it would be silent again.
            desks["there"].send(json.dumps(health_fields()).encode(), Channel.HEALTH)
            return [row["site"] for row in one.ask("alarms", "--kind", "silent")] == ["here"]

        eventually(one_is_left, "the end of one of them")
