"""The topic tree: what is built can be parsed, and what is not of it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract.topics import (
    OF_A_VIOLATION,
    ROOT,
    Address,
    Channel,
    Command,
    Side,
    Topic,
    TopicError,
    everyones,
    parse,
)

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
ids = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
levels = st.one_of(
    st.sampled_from(
        ["cleandesk", "v1", "+", "#", "", "violation", "active", "cmd", "ack", "\n", "é"]
    ),
    st.text(max_size=40),
    st.sampled_from([*Command, *Side]),
    names,
    ids,
)


@given(names, names, st.sampled_from(sorted(set(Channel) - {Channel.COMMAND})), ids)
def test_what_is_built_is_what_is_parsed(site: str, box: str, channel: Channel, id_: str) -> None:
    address = Address(site, box)
    below = (id_,) if channel in OF_A_VIOLATION else ()
    assert parse(address.topic(channel, *below)) == Topic(address, channel, *below)


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("side", Side)
def test_a_command_that_is_built_is_what_is_parsed(command: Command, side: Side) -> None:
    address = Address("s", "b")
    built = Topic(address, Channel.COMMAND, command=command, side=side)
    assert parse(address.command(command, side)) == built


@given(
    st.one_of(
        st.text(),
        st.lists(levels, max_size=8).map("/".join),
        st.lists(levels, min_size=3, max_size=4).map(lambda rest: "/".join([ROOT, *rest])),
    )
)
def test_any_text_is_refused_as_a_topic_or_is_one(text: str) -> None:
    try:
        topic = parse(text)
    except TopicError:
        return
    below = [one for one in (topic.violation_id, topic.command, topic.side) if one]
    assert topic.address.topic(topic.channel, *below) == text


@pytest.mark.parametrize(
    ("site", "box"),
    [
        ("", "b"),
        ("s", "B"),
        ("-s", "b"),
        ("s", "b-"),
        ("s/x", "b"),
        ("s", "b\n"),
        ("s" * 60, "b" * 5),
    ],
)
def test_a_name_that_no_certificate_could_carry_is_refused(site: str, box: str) -> None:
    with pytest.raises(TopicError):
        Address(site, box)


def test_filters_hold_every_box_of_a_site_or_of_all() -> None:
    assert everyones(Channel.VIOLATION) == "cleandesk/v1/+/+/violation"
    assert everyones(Channel.ACTIVE, "s1") == "cleandesk/v1/s1/+/active/+"
    assert everyones(Channel.COMMAND) == "cleandesk/v1/+/+/cmd/+/response"


def test_an_answer_may_go_below_its_topic_and_a_request_may_not() -> None:
    address = Address("s", "b")
    deeper = parse(f"{address.command(Command.BREAK, Side.RESPONSE)}/app/1")
    assert (deeper.address, deeper.command, deeper.side) == (address, Command.BREAK, Side.RESPONSE)
    with pytest.raises(TopicError, match="cmd"):
        parse(f"{address.command(Command.BREAK, Side.REQUEST)}/app")
