"""A still's message: its payload is the picture, all else stands in MQTT 5 user properties."""

import hashlib
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field

from cleandesk.contract.messages import Id, Message, timestamp
from cleandesk.contract.publication import UserProperties

#: What a still may have, bytes, in an envelope or not.
MAX_STILL = 100_000

MediaType = Literal["image/jpeg", "application/pkcs7-mime"]

_JPEG_BEGINS, _JPEG_ENDS = b"\xff\xd8\xff", b"\xff\xd9"
_SEQUENCE, _LONG_FORM = 0x30, 0x80
_ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")  # 1.2.840.113549.1.7.3, RFC 5652


class StillHeaders(Message):
    """`still/<violation_id>`: what stands beside the redacted picture of a violation's thing.

    Each is a user property by the same name, written as text; `schema` too.
    """

    still_id: Id
    media_type: MediaType = Field(
        description="A JPEG, or CMS EnvelopedData (DER) that only the site's key opens"
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(description="Of the payload")
    at: AwareDatetime = Field(description="When it was made, and entered in the box's ledger")
    clock_synced: bool

    @classmethod
    def of(cls, payload: bytes, *, still_id: str, at: datetime, clock_synced: bool) -> Self:
        """Return what belongs beside a picture.

        Raises:
            ValueError: If the payload is no picture that may be sent.
        """
        media_type = media_type_of(payload)
        if media_type is None or len(payload) > MAX_STILL:
            raise ValueError(f"{len(payload)} bytes that are no still")
        return cls(
            still_id=still_id,
            media_type=media_type,
            sha256=hashlib.sha256(payload).hexdigest(),
            at=at,
            clock_synced=clock_synced,
        )

    @classmethod
    def read(cls, user: UserProperties) -> Self:
        """Return what a message's user properties say.

        Raises:
            ValidationError: If one is missing, or wrong.
        """
        return cls.model_validate_strings(dict(user))

    def to_user(self) -> UserProperties:
        """Return the user properties, in a fixed order."""
        return (
            ("schema", str(self.schema_version)),
            ("still_id", self.still_id),
            ("media_type", self.media_type),
            ("sha256", self.sha256),
            ("at", timestamp(self.at)),
            ("clock_synced", "true" if self.clock_synced else "false"),
        )


def media_type_of(payload: bytes) -> MediaType | None:
    """Say what a payload is by its own first and last bytes; None if it is no still."""
    if payload.startswith(_JPEG_BEGINS) and payload.endswith(_JPEG_ENDS):
        return "image/jpeg"
    return "application/pkcs7-mime" if _is_envelope(payload) else None


def _is_envelope(payload: bytes) -> bool:
    """Say whether it is one DER sequence, to its end, that begins as EnvelopedData does."""
    if len(payload) < 2 or payload[0] != _SEQUENCE:  # noqa: PLR2004 - tag and length
        return False
    more = payload[1] - _LONG_FORM if payload[1] > _LONG_FORM else 0
    begin = 2 + more
    length = int.from_bytes(payload[2:begin], "big") if more else payload[1]
    return len(payload) == begin + length and payload.startswith(_ENVELOPED_DATA, begin)
