"""What RabbitMQ is answered, from the rules files; a real RabbitMQ asks in `tests/cluster`."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub
from starlette.testclient import TestClient

from cleandesk.contract.topics import Address
from cleandesk_fleet.provision.access import Rules, covers, topics_of
from cleandesk_fleet.provision.answering import Answers, application, networks
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.errors import UsageError
from cleandesk_fleet.provision.roles import Operator, Role, rules
from tests.rig import ROOT

OPERATORS = [
    Operator("log", Role.SUBSCRIBER),
    Operator("ops", Role.OPS, "s1"),
    Operator("admin", Role.ADMIN),
]
V1 = "cleandesk.v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "deploy" / "broker" / "boxes.acl", tmp_path)
    for issuer in (Issuer.PEOPLE, Issuer.ADMINS):
        (tmp_path / f"{issuer}.acl").write_text(rules(OPERATORS, issuer), encoding="utf-8")
    return tmp_path


@pytest.fixture
def rabbit(folder: Path) -> TestClient:
    return TestClient(application(Answers(folder, networks(None))))


def allows(rabbit: TestClient, path: str, **asked: str) -> bool:
    answer = rabbit.post(f"/{path}", data=asked)
    assert answer.status_code == 200
    assert answer.text in ("allow", "deny")
    return answer.text == "allow"


def may(rabbit: TestClient, name: str, way: str, key: str, exchange: str = "amq.topic") -> bool:
    asked = {"resource": "topic", "name": exchange, "permission": way, "routing_key": key}
    return allows(rabbit, "topic", username=name, vhost="/", **asked)


@pytest.mark.parametrize("name", ["s1/b1", "log", "ops", "admin"])
def test_who_has_rules_is_known(rabbit: TestClient, name: str) -> None:
    assert allows(rabbit, "user", username=name)


@pytest.mark.parametrize(
    "name", ["", "guest", "s1", "s1/", "/b1", "s1/b1/b1", "s1/B1", "s1/+", "#/#", "log/", "witness"]
)
def test_nobody_else_is(rabbit: TestClient, name: str) -> None:
    assert not allows(rabbit, "user", username=name)


def test_a_box_may_what_the_rules_file_says(rabbit: TestClient, folder: Path) -> None:
    granted = Rules.read(folder / "boxes.acl", "s1/b1")
    for whose in (Address("s1", "b1"), Address("s1", "b2"), Address("s2", "b1")):
        for _, topic in topics_of(whose):
            for way in ("read", "write"):
                key = topic.replace("/", ".")
                assert may(rabbit, "s1/b1", way, key) == granted.allow(way, topic), (way, topic)


@pytest.mark.parametrize(
    "key",
    [
        *("#", "*.*.*.*.*", "$share.g.cleandesk.v1.s1.b1.ack", f"{V1}.s1.b1.#", f"{V1}.s1.*.ack"),
        *(f"{V1}.s1.b1.cmd.#", f"{V1}.s1.b1.ack.#", f"{V1}.*.b1.ack", ""),
    ],
)
def test_a_filter_that_selects_more_than_may_be_read_is_denied(
    rabbit: TestClient, key: str
) -> None:
    assert not may(rabbit, "s1/b1", "read", key)


@pytest.mark.parametrize("key", [f"{V1}.s1.b1.active.*", f"{V1}.s1.b1.cmd.x.response.#", "#"])
def test_nothing_is_published_on_a_filter(rabbit: TestClient, key: str) -> None:
    assert not may(rabbit, "s1/b1", "write", key)


def test_only_the_exchange_of_all_topics_carries_topics(rabbit: TestClient) -> None:
    assert may(rabbit, "log", "read", f"{V1}.*.*.violation")
    assert not may(rabbit, "log", "read", f"{V1}.*.*.violation", exchange="other")


def test_a_client_connects_by_its_own_name_only(rabbit: TestClient) -> None:
    for name, client_id in (("s1/b1", "s1/b1"), ("s1/b1", "cleandesk.s1.b1"), ("log", "log")):
        asked = {"username": name, "vhost": "/", "ip": "127.0.0.1"}
        assert allows(rabbit, "vhost", client_id=client_id, **asked)
        for other in ("s1/b2", "cleandesk.s1.b2", "", "admin"):
            assert not allows(rabbit, "vhost", client_id=other, **asked)
        assert not allows(rabbit, "vhost", **asked)
        assert not allows(rabbit, "vhost", client_id=name, **asked | {"vhost": "other"})


@pytest.mark.parametrize(
    ("address", "let_in"),
    [
        *(("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True)),
        *(("10.0.0.1", False), ("::ffff:10.0.0.1", False), ("2001:db8::1", False)),
    ],
)
def test_an_administrator_takes_any_name_from_near(
    rabbit: TestClient, address: str, *, let_in: bool
) -> None:
    asked = {"username": "admin", "vhost": "/", "ip": address, "client_id": "s1/b1"}
    assert allows(rabbit, "vhost", **asked) == let_in


BALANCER = "10.0.0.9"


def test_a_remote_administrator_is_refused_by_any_name_and_through_the_balancer(
    rabbit: TestClient, folder: Path
) -> None:
    office = TestClient(application(Answers(folder, networks(["10.1.0.0/24"]))))
    for address in ("198.51.100.7", "2001:db8::7", BALANCER):
        for client_id in ("admin", "s1/b1", "log"):
            asked = {"username": "admin", "vhost": "/", "ip": address, "client_id": client_id}
            assert not allows(rabbit, "vhost", **asked)
            assert not allows(office, "vhost", **asked)


def test_the_readme_keeps_the_balancer_where_nobody_is_taken_for_an_administrator() -> None:
    """On a node it would give everybody the address of whoever sits there."""
    readme = " ".join((ROOT / "deploy/rabbitmq/README.md").read_text(encoding="utf-8").split())
    assert "a TCP balancer before it" in readme
    assert "It must not run on a node" in readme


@pytest.mark.parametrize("permission", ["configure", "read", "write"])
def test_a_queue_is_its_clients_own(rabbit: TestClient, permission: str) -> None:
    def queue(name: str, **client: str) -> bool:
        asked = {"resource": "queue", "name": name, "permission": permission} | client
        return allows(rabbit, "resource", username="s1/b1", vhost="/", **asked)

    assert queue("mqtt-subscription-cleandesk.s1.b1qos1", client_id="cleandesk.s1.b1")
    assert not queue("mqtt-subscription-cleandesk.s1.b2qos1", client_id="cleandesk.s1.b1")
    assert not queue("other", client_id="cleandesk.s1.b1")
    assert not queue("mqtt-subscription-qos1", client_id="")
    assert not queue("mqtt-subscription-s1/b1qos1")


@pytest.mark.parametrize(
    ("exchange", "permission", "allowed"),
    [
        *(("amq.topic", "read", True), ("amq.topic", "write", True)),
        *(("amq.topic", "configure", False), ("amq.default", "write", False)),
    ],
)
def test_the_exchange_of_all_topics_is_used_and_not_changed(
    rabbit: TestClient, exchange: str, permission: str, *, allowed: bool
) -> None:
    asked = {"resource": "exchange", "name": exchange, "permission": permission}
    assert allows(rabbit, "resource", username="s1/b1", vhost="/", **asked) == allowed


def test_rules_that_change_hold_at_once(rabbit: TestClient, folder: Path) -> None:
    assert not may(rabbit, "new", "write", f"{V1}.s1.b1.ack")
    people = rules([*OPERATORS, Operator("new", Role.SUBSCRIBER)], Issuer.PEOPLE)
    later = folder / "later"
    later.write_text(people, encoding="utf-8")
    later.replace(folder / "people.acl")
    assert may(rabbit, "new", "write", f"{V1}.s1.b1.ack")


def test_without_the_rules_nothing_is_allowed(folder: Path) -> None:
    rabbit = TestClient(application(Answers(folder, networks(None))), raise_server_exceptions=False)
    (folder / "boxes.acl").unlink()
    answer = rabbit.post("/user", data={"username": "s1/b1"})
    assert answer.status_code == 500
    assert "allow" not in answer.text


def test_a_network_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="no address and no network"):
        networks(["mq1.example.org"])


LEVELS = st.sampled_from(["a", "b", "+"])
FILTERS = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]),
    st.lists(LEVELS, min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
)
TOPICS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5).map("/".join)


@given(FILTERS, FILTERS, TOPICS)
def test_what_covers_a_filter_selects_each_of_its_topics(
    pattern: str, wanted: str, topic: str
) -> None:
    if covers(pattern, wanted) and topic_matches_sub(wanted, topic):
        assert topic_matches_sub(pattern, topic)
    assert covers(wanted, wanted)
