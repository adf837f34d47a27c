"""The ledger's chain: each entry's hash covers the entry before it, so that none can be changed.

The hash of an entry is sha256 over, in this order, each with its length before it as eight bytes,
big-endian: the hash of the entry before it (32 bytes; zeros before the first one), then number, at,
clock_synced, kind, topic, message id and payload. Numbers are decimal digits, `clock_synced` is `1`
or `0`, text is UTF-8. What is noted later about an entry (sent, answered) is not covered.

Whoever wrote down a number and its hash can tell later whether anything up to there was changed.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

#: Stands before the first entry.
START = bytes(32)
#: Kind of an entry that was never a message: something happened on the box.
NOTE = "note"
#: Message id of the note that shows the worker what is in a sealed still; its payload is a JPEG.
SEALED = "sealed_still"
#: Message id of the note that says which entries a damaged file has lost.
DAMAGE = "damage"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be entered: all of an entry but its number and hash.

    Attributes:
        hold_s: Once it is entered, its message is held back for so long; not entered itself.
    """

    at: str
    clock_synced: bool
    kind: str
    topic: str
    message_id: str
    payload: bytes
    hold_s: float = 0.0

    def entered(self, number: int, previous: bytes) -> "Entry":
        """Return the entry with this number that follows the one with this hash."""
        fields = (
            previous,
            str(number).encode(),
            self.at.encode(),
            b"1" if self.clock_synced else b"0",
            self.kind.encode(),
            self.topic.encode(),
            self.message_id.encode(),
            self.payload,
        )
        digest = hashlib.sha256()
        for field in fields:
            digest.update(len(field).to_bytes(8, "big"))
            digest.update(field)
        return Entry(
            number,
            self.at,
            self.clock_synced,
            self.kind,
            self.topic,
            self.message_id,
            self.payload,
            digest.digest(),
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: a message about the worker, word for word, or a note.

    Attributes:
        number: Counts up by one, from 1.
        at: When it was entered: RFC 3339, UTC, milliseconds.
        clock_synced: Whether `at` can be trusted.
        kind: The channel of the contract (`violation`, `active`, `privacy`, `still`, `appeal`,
            `idle`, `cmd`), or `note`.
        topic: Where it is sent to; empty for a note.
        message_id: event_id; of `active` the violation's id, ':' and the event's, and without the
            event when the topic is emptied; appeal_id; still_id; the correlation data of an
            answer, in hexadecimal; what kind of note. Empty where a message has no id of its own,
            as the answer to a request that had none.
        payload: The message's bytes, or the note's text in UTF-8, or its picture.
        chain: The hash.
        tried: It was handed to the broker's connection at least once (retained topics only).
        sent_at: When the broker confirmed it; None for what was not sent, or not confirmed.
        answer: What the subscriber made of it, for what is answered.
    """

    number: int
    at: str
    clock_synced: bool
    kind: str
    topic: str
    message_id: str
    payload: bytes
    chain: bytes
    tried: bool = False
    sent_at: str | None = None
    answer: str | None = None

    def draft(self) -> Draft:
        """Return what was entered."""
        return Draft(
            self.at, self.clock_synced, self.kind, self.topic, self.message_id, self.payload
        )


@dataclass(frozen=True, slots=True)
class Anchor:
    """The entry before the first one that is kept: older ones were deleted after their time."""

    number: int = 0
    chain: bytes = START


#: What the first of all entries follows.
FIRST = Anchor()


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries that a damaged file has lost: `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain found.

    Attributes:
        anchor: Where it began.
        entries: How many entries there are.
        head: The newest entry's number and hash; worth writing down.
        wrong: The first entry that does not fit, and `reason` why; None if all do.
        gaps: What a damaged file has lost, as its notes say. The entry after such a gap cannot be
            checked, those after it can.
    """

    anchor: Anchor
    entries: int
    head: Anchor
    wrong: int | None = None
    reason: str = ""
    gaps: tuple[Gap, ...] = ()

    @property
    def good(self) -> bool:
        """Whether every entry fits."""
        return self.wrong is None


class Walk:
    """Follows the chain, entry by entry, and stops at the first one that does not fit.

    Args:
        anchor: Where the chain begins.
        gaps: What is known to be lost.

    Attributes:
        head: The newest entry that it passed.
        wrong: The first one that does not fit, where it stays.
    """

    def __init__(self, anchor: Anchor, gaps: Iterable[Gap] = ()) -> None:
        self.anchor, self.gaps = anchor, tuple(gaps)
        self.head = anchor
        self._entries = 0
        self.wrong: int | None = None
        self._reason = ""

    def follow(self, entries: Iterable[Entry]) -> None:
        """Go on with the next entries, in order."""
        for entry in entries:
            self._reason = self._problem(entry)
            if self._reason:
                self.wrong = entry.number
                return
            self.head = Anchor(entry.number, entry.chain)
            self._entries += 1

    def verdict(self) -> Verdict:
        """Return what was found so far."""
        return Verdict(self.anchor, self._entries, self.head, self.wrong, self._reason, self.gaps)

    def _problem(self, entry: Entry) -> str:
        fits = entry.draft().entered(entry.number, self.head.chain).chain == entry.chain
        missing = Gap(self.head.number + 1, entry.number - 1)
        if missing.first > missing.last:
            return "" if fits else "it is not what was entered, or the one before it is not"
        if not self._told(missing):
            return f"entries {missing.first} to {missing.last} are missing before it"
        return ""  # its hash may cover one that is gone: only those after it can be checked

    def _told(self, missing: Gap) -> bool:
        return any(gap.first <= missing.first and missing.last <= gap.last for gap in self.gaps)
