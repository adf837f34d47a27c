"""The topic tree `cleandesk/v1/<site>/<box>/…`: built here, parsed here, nowhere else."""

import re
from dataclasses import dataclass
from enum import StrEnum

ROOT = "cleandesk/v1"
#: A site or a box: together they are the certificate's common name `<site>/<box>`.
NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
ID_PATTERN = r"^[0-9a-f]{32}$"
MAX_COMMON_NAME = 64
_FIXED = 5  # levels down to the channel
_CONFIG = "config"  # whose channels have two levels


class Channel(StrEnum):
    """What stands below the box, one level or two: what kind of message a topic carries."""

    STATUS = "status"
    HEALTH = "health"
    PRIVACY = "privacy"
    VIOLATION = "violation"
    ACTIVE = "active"
    STILL = "still"
    APPEAL = "appeal"
    IDLE = "idle"
    DESIRED = "config/desired"
    REPORTED = "config/reported"
    COMMAND = "cmd"
    ACK = "ack"


class Command(StrEnum):
    """What a box can be asked to do, by `cmd/<name>/request`."""

    BREAK = "break"
    SPOT_CHECK = "spot-check"
    STATE = "state"
    RESTART = "restart"
    SET_BREAK_LIMITS = "set-break-limits"
    DOCTOR = "doctor"
    ROTATE_KEY = "rotate-key"
    MODEL = "model"
    UPDATE = "update"


class Side(StrEnum):
    """The last level of a command's topic: who speaks."""

    REQUEST = "request"
    RESPONSE = "response"


#: Channels with a violation's id below them.
OF_A_VIOLATION = frozenset({Channel.ACTIVE, Channel.STILL})


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

    @property
    def client_id(self) -> str:
        """The box's name as an MQTT client id: not every broker takes a '/' there."""
        return f"cleandesk.{self.site}.{self.box}"

    @property
    def host(self) -> str:
        """What the box's machine is called on its home network; its page is at `<host>.local`."""
        return f"cleandesk-{self.box}"

    def topic(self, channel: Channel, *below: str) -> str:
        """Return the full topic of a channel, e.g. `cleandesk/v1/s1/b1/active/<id>`."""
        return "/".join((ROOT, self.site, self.box, channel.value, *below))

    def command(self, command: Command, side: Side) -> str:
        """Return the full topic of a command, e.g. `cleandesk/v1/s1/b1/cmd/break/request`."""
        return self.topic(Channel.COMMAND, command.value, side.value)


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic: whose it is, which channel, and what is below it.

    Attributes:
        violation_id: Where the channel is of `OF_A_VIOLATION`.
        command: Which command, where the channel is `cmd`.
        side: Who speaks, where the channel is `cmd`.
    """

    address: Address
    channel: Channel
    violation_id: str | None = None
    command: Command | None = None
    side: Side | None = None


def parse(topic: str) -> Topic:
    """Parse a topic that arrived.

    Raises:
        TopicError: If it is not one of the contract's topics.
    """
    levels = topic.split("/")
    if levels[:2] != ROOT.split("/") or len(levels) < _FIXED:
        raise TopicError(f"topic {topic[:200]!r} is not {ROOT}/<site>/<box>/<channel>")
    named = _FIXED + (levels[4] == _CONFIG)
    try:
        channel = Channel("/".join(levels[4:named]))
    except ValueError:
        raise TopicError(f"topic {topic[:200]!r}: no channel {levels[4][:40]!r}") from None
    address, below = Address(levels[2], levels[3]), levels[named:]
    if channel in OF_A_VIOLATION:
        if len(below) != 1 or not re.fullmatch(ID_PATTERN, below[0]):
            raise TopicError(f"topic {topic[:200]!r}: '{channel}' has a violation id below it")
        return Topic(address, channel, violation_id=below[0])
    if channel is Channel.COMMAND:
        return _command(topic, address, below)
    if below:
        raise TopicError(f"topic {topic[:200]!r}: '{channel}' has nothing below it")
    return Topic(address, channel)


def _command(topic: str, address: Address, below: list[str]) -> Topic:
    """Parse what is below `cmd`: an answer may go below its default topic, to one who asked so."""
    try:
        command, side, *deeper = below
        found = Topic(address, Channel.COMMAND, command=Command(command), side=Side(side))
    except ValueError:
        found, deeper = None, []
    if found is None or (deeper and found.side is Side.REQUEST):
        raise TopicError(
            f"topic {topic[:200]!r}: 'cmd' has <command>/request or <command>/response below it; "
            f"commands are {', '.join(Command)}"
        )
    return found


def everyones(channel: Channel, site: str = "+") -> str:
    """Return the subscription filter for one channel of every box, or of one site's boxes."""
    suffix = "/+" if channel in OF_A_VIOLATION else ""
    if channel is Channel.COMMAND:
        suffix = f"/+/{Side.RESPONSE}"
    return f"{ROOT}/{site}/+/{channel.value}{suffix}"
