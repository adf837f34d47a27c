"""What the broker's rules for boxes let one box do: mosquitto's rules file, read as mosquitto does.

Only what such a file may hold: `pattern` lines, and `user` blocks with `topic` lines. A line before
the first `user` is for clients without a name, which this broker does not let in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import topic_matches_sub

from cleandesk.contract.docs import TOPICS
from cleandesk.contract.topics import Address

_WAYS = {"read": {"read"}, "write": {"write"}, "readwrite": {"read", "write"}}
_ANY_ID = "0" * 32


@dataclass(frozen=True, slots=True)
class Rules:
    """What one client may do; what is not here is denied.

    Attributes:
        granted: Pairs of `read` or `write` and a topic filter.
    """

    granted: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path, name: str) -> "Rules":
        """Read a rules file for the client whose certificate has this common name.

        Raises:
            OSError: If it cannot be read.
        """
        return cls(tuple(_granted(path.read_text(encoding="utf-8"), name)))

    def allow(self, way: str, topic: str) -> bool:
        """Say whether the client may `read` or `write` a topic."""
        return any(
            way == its and topic_matches_sub(pattern, topic) for its, pattern in self.granted
        )


def covers(pattern: str, wanted: str) -> bool:
    """Say whether every topic that a filter selects is selected by a pattern, too."""
    theirs = wanted.split("/")
    for number, level in enumerate(pattern.split("/")):
        if level == "#":
            return True
        if number == len(theirs) or theirs[number] == "#" or level not in ("+", theirs[number]):
            return False
    return len(theirs) == pattern.count("/") + 1


def _granted(text: str, name: str) -> Iterator[tuple[str, str]]:
    block: str | None = None
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "user":
            block = rest.strip()
        elif word == "pattern" or (word == "topic" and block == name):
            first, _, topic = rest.strip().partition(" ")
            ways, topic = (_WAYS[first], topic) if first in _WAYS else ({"read", "write"}, rest)
            topic = topic.strip().replace("%u", name).replace("%c", name)
            yield from ((way, topic) for way in sorted(ways))


def client_ids(name: str) -> Sequence[str]:
    """Return by which MQTT client ids somebody may connect: their name, and a box's other form."""
    return (name, Address(*name.split("/")).client_id) if "/" in name else (name,)


def topics_of(address: Address) -> Iterator[tuple[str, str]]:
    """Yield what a box must be able to do: `write` or `read`, and a topic of its own."""
    for topic in TOPICS:
        named = topic.address.format(site=address.site, box=address.box, violation_id=_ANY_ID)
        yield ("write" if topic.action == "send" else "read"), named


def too_tight(rules: Rules, address: Address) -> list[str]:
    """Return what a box must be able to do and may not, in words."""
    return [f"{way} {topic}" for way, topic in topics_of(address) if not rules.allow(way, topic)]


def too_wide(rules: Rules, address: Address) -> list[str]:
    """Return what a box may do to others, and what it may write of its own that others write."""
    others = [Address(address.site, "x"), Address("x", address.box), Address("x", "x")]
    everything = [
        (way, topic)
        for one in others
        if one != address
        for _, topic in topics_of(one)
        for way in ("read", "write")
    ]
    own = [("write", topic) for way, topic in topics_of(address) if way == "read"]
    return [f"{way} {topic}" for way, topic in (*everything, *own) if rules.allow(way, topic)]
