"""What stands beside a still, and how one is told from anything else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cleandesk.contract.stills import MAX_STILL, StillHeaders, media_type_of

AT = datetime(2026, 5, 4, 8, 30, 0, 125_000, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def envelope(content: bytes) -> bytes:
    """Return DER that begins as CMS EnvelopedData does."""
    inner = bytes.fromhex("06092a864886f70d010703") + content
    return b"\x30\x83" + len(inner).to_bytes(3, "big") + inner


def headers(payload: bytes, *, synced: bool = True) -> StillHeaders:
    return StillHeaders.of(payload, still_id="0" * 32, at=AT, clock_synced=synced)


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_what_is_written_as_user_properties_is_read(
    content: bytes,
    sealed: bool,  # noqa: FBT001
    synced: bool,  # noqa: FBT001
) -> None:
    payload = envelope(content) if sealed else b"\xff\xd8\xff" + content + b"\xff\xd9"
    made = headers(payload, synced=synced)
    assert made.media_type == ("application/pkcs7-mime" if sealed else "image/jpeg")
    assert StillHeaders.read((*made.to_user(), ("replayed", "1"), ("later", "x"))) == made


def test_each_header_is_needed_but_the_version() -> None:
    user = headers(JPEG).to_user()
    for name, _ in user:
        rest = tuple(one for one in user if one[0] != name)
        if name == "schema":
            assert StillHeaders.read(rest).schema_version == 1
        else:
            with pytest.raises(ValidationError, match=name):
                StillHeaders.read(rest)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x30",
        JPEG[:-1],
        JPEG[1:],
        b"\x89PNG\r\n\x1a\n",
        envelope(b"x") + b"\0",
        envelope(b"x")[:-1],
        b"\x30\x02\x05\x00",
        b"\x30\x80" + bytes.fromhex("06092a864886f70d010703") + b"\0\0",
    ],
)
def test_anything_else_is_no_still(payload: bytes) -> None:
    assert media_type_of(payload) is None
    with pytest.raises(ValueError, match="no still"):
        headers(payload)


def test_a_larger_one_is_none() -> None:
    assert headers(JPEG[:-2] + b"\0" * (MAX_STILL - len(JPEG)) + JPEG[-2:])
    with pytest.raises(ValueError, match="100001 bytes that are no still"):
        headers(JPEG[:-2] + b"\0" * (MAX_STILL + 1 - len(JPEG)) + JPEG[-2:])
