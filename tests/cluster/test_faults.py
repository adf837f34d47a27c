"""Nodes are killed, cut off and restarted while boxes send: each event is logged once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk_fleet.provision.authorities import Issuer
from tests.cluster.fleet import Fleet, subscriber
from tests.cluster.rabbitmq import LOGS, START_S, Cluster, Node
from tests.eventually import eventually
from tests.postgresql import PostgreSQL, words_of
from tests.system.broker_rig import mark

pytestmark = pytest.mark.fault


@pytest.fixture
def fleet(cluster: Cluster, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(cluster, [subscriber(cluster, tmp_path)]) as running:
        running.flows()
        yield running


@pytest.fixture
def url() -> Iterator[str]:
    server = PostgreSQL(options=()).start()
    yield words_of(server.empty())
    server.close()


def all_once(fleet: Fleet) -> None:
    """Everything that boxes saw is in the log, once, and the log misses nothing."""
    held = fleet.drain()
    assert (held.events, held.distinct) == (fleet.sent, fleet.sent)
    assert "gap" not in held.alarms
    assert fleet.subscribers[0].ask("quarantine") == []
    slowest_s = fleet.latencies_s()[-1]
    sys.stderr.write(f"{fleet.sent} events, the slowest was answered after {slowest_s:.1f} s\n")


def back(fleet: Fleet, node: Node) -> None:
    """Bring a node back; it has caught up when the next one may go."""
    node.start()
    node.await_up()
    fleet.flows()


def test_each_node_is_killed_in_turn(cluster: Cluster, fleet: Fleet) -> None:
    for node in cluster.nodes:
        node.await_needless()
        node.crash()
        fleet.flows()
        back(fleet, node)
    all_once(fleet)


def test_each_nodes_cable_is_pulled_in_turn(cluster: Cluster, fleet: Fleet) -> None:
    for node in cluster.nodes:
        node.await_needless()
        node.machine.unplug()
        fleet.flows(200)
        node.machine.plug()
        node.await_up()
        fleet.flows()
    all_once(fleet)


def test_a_node_that_clients_reach_and_the_others_do_not(cluster: Cluster, fleet: Fleet) -> None:
    """Who is on it waits until it is back; if that is the subscriber, so does everybody."""
    for node in cluster.nodes:
        others = [other.machine for other in cluster.nodes if other is not node]
        node.await_needless()
        node.machine.part_from(others)
        eventually(lambda node=node: node.sees() == 1, "being alone", within_s=START_S)  # type: ignore[misc]
        node.machine.rejoin(others)
        node.await_up()
        fleet.flows()
    all_once(fleet)


def test_nodes_are_restarted_one_after_the_other(cluster: Cluster, fleet: Fleet) -> None:
    for node in cluster.nodes:
        node.await_needless()
        node.stop()
        fleet.flows()
        back(fleet, node)
    all_once(fleet)


def test_two_subscribers_one_of_them_killed_with_a_node(
    cluster: Cluster, tmp_path: Path, url: str
) -> None:
    """Without a group each hears everything; the log takes each event once."""
    shared = {"store": {"url": url}, "redundancy": {"gap_after_s": 20}}
    both = [subscriber(cluster, tmp_path, name, **shared) for name in LOGS]
    with Fleet(cluster, both) as fleet:
        fleet.flows()
        for victim, node in zip(both, cluster.nodes, strict=False):
            node.await_needless()
            victim.kill()
            node.crash()
            fleet.flows()
            victim.started()
            back(fleet, node)
        all_once(fleet)


def test_while_nobody_answers_nobody_new_is_let_in(cluster: Cluster) -> None:
    for node in cluster.nodes:
        node.kill_answers()
    box = cluster.member("s9/new").start()
    eventually(lambda: len(box.refusals) >= len(cluster.nodes), "a refusal of each node")
    assert box.connects == 0
    for node in cluster.nodes:
        node.start_answers()
    eventually(lambda: box.connects, "its connection")
    box.leave()


def test_what_was_acknowledged_waits_on_the_nodes_that_are_left(cluster: Cluster) -> None:
    topic = "cleandesk/v1/s1/b1/violation"
    with cluster.member("subscriber", Issuer.PEOPLE):
        pass  # what a session of other tests left is gone by that
    with cluster.member("subscriber", Issuer.PEOPLE, filters=[topic], keeps_s=600):
        pass
    waiting = [mark() for _ in range(200)]
    with cluster.member("s1/b1") as box:
        for payload in waiting:
            assert box.say(topic, payload) == 0
    cluster.nodes[0].crash()
    with cluster.member("subscriber", Issuer.PEOPLE, keeps_s=600) as again:
        eventually(lambda: len(again.received) >= len(waiting), "all that waited")
        assert [message.payload for message in again.received] == waiting
    cluster.nodes[0].start()
    cluster.nodes[0].await_up()
