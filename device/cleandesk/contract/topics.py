"""The topic tree `cleandesk/v1/<site>/<box>/…`: built here, parsed here, nowhere else."""

import re
from dataclasses import dataclass
from enum import StrEnum

ROOT = "cleandesk/v1"
#: A site or a box: together they are the certificate's common name `<site>/<box>`.
NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
ID_PATTERN = r"^[0-9a-f]{32}$"
MAX_COMMON_NAME = 64


class Channel(StrEnum):
    """The first level below the box: what kind of message a topic carries."""

    STATUS = "status"
    HEALTH = "health"
    PRIVACY = "privacy"
    VIOLATION = "violation"
    ACTIVE = "active"
    ACK = "ack"


class TopicError(ValueError):
    """A topic that is not part of the contract."""


@dataclass(frozen=True, slots=True)
class Address:
    """One box of one site.

    Raises:
        TopicError: If a name does not match `NAME_PATTERN` or both exceed a common name's length.
    """

    site: str
    box: str

    def __post_init__(self) -> None:
        for what, name in (("site", self.site), ("box", self.box)):
            if not re.fullmatch(NAME_PATTERN, name):
                raise TopicError(
                    f"{what} {name!r}: use 1-64 of a-z, 0-9 and '-', not '-' at either end"
                )
        if len(str(self)) > MAX_COMMON_NAME:
            raise TopicError(
                f"'{self}' has {len(str(self))} characters; a certificate's common name holds "
                f"{MAX_COMMON_NAME}: shorten the site or the box"
            )

    def __str__(self) -> str:
        return f"{self.site}/{self.box}"

    def topic(self, channel: Channel, *below: str) -> str:
        """Return the full topic of a channel, e.g. `cleandesk/v1/s1/b1/active/<id>`."""
        return "/".join((ROOT, self.site, self.box, channel.value, *below))


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic: whose it is, which channel, and the id below it where the channel has one."""

    address: Address
    channel: Channel
    violation_id: str | None = None


def parse(topic: str) -> Topic:
    """Parse a topic that arrived.

    Raises:
        TopicError: If it is not one of the contract's topics.
    """
    levels = topic.split("/")
    if levels[:2] != ROOT.split("/") or len(levels) not in {5, 6}:
        raise TopicError(f"topic {topic[:200]!r} is not {ROOT}/<site>/<box>/<channel>")
    try:
        channel = Channel(levels[4])
    except ValueError:
        raise TopicError(f"topic {topic[:200]!r}: no channel {levels[4][:40]!r}") from None
    below = levels[5] if len(levels) > len(ROOT.split("/")) + 3 else None
    if (below is not None) != (channel is Channel.ACTIVE):
        raise TopicError(f"topic {topic[:200]!r}: only 'active' has an id below it")
    if below is not None and not re.fullmatch(ID_PATTERN, below):
        raise TopicError(f"topic {topic[:200]!r}: {below[:40]!r} is not a violation id")
    return Topic(Address(levels[2], levels[3]), channel, below)


def everyones(channel: Channel, site: str = "+") -> str:
    """Return the subscription filter for one channel of every box, or of one site's boxes."""
    suffix = "/+" if channel is Channel.ACTIVE else ""
    return f"{ROOT}/{site}/+/{channel.value}{suffix}"
