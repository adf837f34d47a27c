"""What this RabbitMQ does that our design goes by; should a newer one do better, change that."""

from cleandesk_fleet.provision.authorities import Issuer
from tests.cluster.rabbitmq import LOGS, SHARER, Cluster
from tests.eventually import eventually
from tests.system.broker_rig import Member, mark
from tests.system.test_broker_access import V1


def test_what_is_retained_is_shown_to_nobody_on_any_node(cluster: Cluster) -> None:
    topic, kept = f"{V1}/s1/b1/status", mark()
    with cluster.member("s1/b1") as box:
        for _ in cluster.nodes:
            assert box.say(topic, kept, retain=True) in (0, 16)
            seen = mark()
            with cluster.member(LOGS[0], Issuer.PEOPLE, filters=[topic]) as reader:
                assert box.say(topic, seen) == 0
                eventually(lambda seen=seen, reader=reader: reader.saw(seen), "what is new")  # type: ignore[misc]
            assert not reader.saw(kept)


def test_a_shared_subscription_is_granted_and_delivers_nothing(
    cluster: Cluster, witness: Member
) -> None:
    topic = f"{V1}/s1/b1/violation"
    with (
        cluster.member(SHARER, Issuer.PEOPLE, filters=[f"$share/group/{topic}"]) as sharer,
        cluster.member("s1/b1") as box,
    ):
        seen = mark()
        box.say(topic, seen)
        eventually(lambda: witness.saw(seen), "the event elsewhere")
        box.say(topic, seen)
        assert sharer.up
        assert sharer.received == []


def test_to_rabbitmq_a_dot_is_a_slash(cluster: Cluster, witness: Member) -> None:
    with cluster.member("s1/b1") as box:
        seen = mark()
        box.say(f"{V1}/s1.b1/status", seen)
        eventually(lambda: witness.saw(seen), "it")
    assert f"{V1}/s1/b1/status" in {one.topic for one in witness.received if one.payload == seen}
