"""Packets out of bytes, however the network cut them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleandesk.contract import packets
from cleandesk.contract.arriving import Spoiled
from cleandesk.contract.publication import Publication, Received

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
_PUBLICATIONS = st.lists(
    st.builds(
        Publication,
        topic=st.sampled_from(["t", "a/b"]),
        payload=st.binary(max_size=300),
        qos=st.sampled_from([0, 1]),
        retain=st.booleans(),
        expiry_s=st.none() | st.integers(0, 2**32 - 1),
        user=st.lists(st.tuples(_TEXT, _TEXT), max_size=2).map(tuple),
        response_topic=st.none() | st.just("back"),
        correlation=st.none() | st.binary(max_size=10),
    ),
    max_size=6,
)


@given(_PUBLICATIONS, st.lists(st.integers(1, 400), max_size=20))
def test_messages_survive_the_way_whatever_the_pieces(
    sent: list[Publication], sizes: list[int]
) -> None:
    data = b"".join(packets.publish(one, mid) for mid, one in enumerate(sent, 1))
    found: list[object] = []
    rest = b""
    for size in [*sizes, len(data)]:
        piece, data = data[:size], data[size:]
        more, rest = packets.split(rest + piece, 7)
        found += more
    assert rest == b""
    came = [one for one in found if isinstance(one, Received)]
    assert len(came) == len(found) == len(sent)
    for mid, (one, other) in enumerate(zip(sent, came, strict=True), 1):
        assert other.mid == (mid if one.qos else 0)
        assert other.connection == 7
        for name in ("topic", "payload", "qos", "retain", "user", "response_topic", "correlation"):
            assert getattr(other, name) == getattr(one, name)
        assert other.expiry_s == one.expiry_s


@given(st.binary(max_size=64))
def test_bytes_of_no_meaning_are_packets_no_packets_yet_or_refused(data: bytes) -> None:
    try:
        _, rest = packets.split(data, 1)
    except ValueError:
        return
    assert data.endswith(rest)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the codec's panic
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x32\x02\x00\x05", "cut off"),
        (b"\x32\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\x40\x01\x00", ""),
        (b"\xe0\x06\x8e\x04\x1f\x00\x01\xff", "not UTF-8"),
    ],
    ids=["a message without an id", "an endless length", "half a PUBACK", "words that are none"],
)
def test_what_cannot_be_answered_ends_the_connection(data: bytes, why: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - of some the codec says what is wrong
        packets.split(data, 1)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    "properties",
    [b"\x01\xff", b"\x05\x26\x00\x01a", b"\x03\x08\x00\x09", b"\x7f", b"\x04\x26\x00\x01\xff"],
    ids=["unknown", "half a pair", "too short", "beyond the end", "no text"],
)
def test_a_message_with_damaged_properties_can_still_be_answered(properties: bytes) -> None:
    body = b"\x00\x01t\x00\x2a" + properties
    (spoiled,), rest = packets.split(b"\x32" + bytes([len(body)]) + body, 1)
    assert isinstance(spoiled, Spoiled)
    assert spoiled.mid == 42
    assert rest == b""
