"""What `cleandesk ledger` prints: every message about the worker, word for word."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from cleandesk.contract.stills import media_type_of
from cleandesk.link.chain import NOTE, Entry, Verdict
from cleandesk.link.ledger_file import read_only

Say = Callable[[str], None]


def show(path: Path, *, as_json: bool, limit: int | None, say: Say) -> None:
    """Print entries, the oldest first.

    Args:
        path: The outbox's file.
        as_json: One JSON object a line, with the hash; payloads as text, or in hexadecimal.
        limit: Only the newest ones.
        say: Prints a line.

    Raises:
        LedgerUnreadableError: If it cannot be read.
    """
    with read_only(path) as ledger:
        for entry in ledger.entries(limit):
            say(json.dumps(as_data(entry), ensure_ascii=False) if as_json else as_text(entry))


def verify(path: Path, *, as_json: bool, say: Say) -> bool:
    """Print whether every entry is what was entered; return it.

    Raises:
        LedgerUnreadableError: If it cannot be read.
    """
    with read_only(path) as ledger:
        verdict = ledger.verify()
    say(json.dumps(_verdict_data(verdict)) if as_json else _verdict_text(verdict))
    return verdict.good


def as_data(entry: Entry) -> dict[str, object]:
    """Return an entry for programs: enough to compute its hash again (`link/chain.py`)."""
    try:
        payload = {"payload": entry.payload.decode()}
    except UnicodeDecodeError:
        payload = {"payload_hex": entry.payload.hex()}
    return {
        "number": entry.number,
        "at": entry.at,
        "clock_synced": entry.clock_synced,
        "kind": entry.kind,
        "topic": entry.topic,
        "message_id": entry.message_id,
        **payload,
        "chain": entry.chain.hex(),
        "sent_at": entry.sent_at,
        "answer": entry.answer,
    }


def as_text(entry: Entry) -> str:
    """Return an entry for people: what it is, what became of it, and the message itself."""
    doubt = "" if entry.clock_synced else " (clock not set)"
    lines = [f"{entry.number}  {entry.at}{doubt}  {_headline(entry)}"]
    shown = entry.payload.decode("utf-8", "backslashreplace") or "(empty: the topic is cleared)"
    if (media := media_type_of(entry.payload)) is not None:
        digest = hashlib.sha256(entry.payload).hexdigest()
        shown = f"({media}, {len(entry.payload)} bytes, sha256 {digest})"
    lines.append("    " + "".join(char if char.isprintable() else "\ufffd" for char in shown))
    return "\n".join(lines)


def _headline(entry: Entry) -> str:
    if entry.kind == NOTE:
        return f"note: {entry.message_id}"
    fate = f"sent {entry.sent_at}" if entry.sent_at else "not sent"
    if entry.tried and not entry.sent_at:
        fate = "sent, not confirmed yet"
    return f"{entry.topic}  {fate}" + (f", {entry.answer}" if entry.answer else "")


def _verdict_data(verdict: Verdict) -> dict[str, object]:
    return {
        "good": verdict.good,
        "entries": verdict.entries,
        "after": {"number": verdict.anchor.number, "chain": verdict.anchor.chain.hex()},
        "head": {"number": verdict.head.number, "chain": verdict.head.chain.hex()},
        "wrong": verdict.wrong,
        "reason": verdict.reason or None,
        "missing": [[gap.first, gap.last] for gap in verdict.gaps],
    }


def _verdict_text(verdict: Verdict) -> str:
    lost = "".join(
        f"\nentries {gap.first} to {gap.last} were lost with a damaged file, as a note says"
        for gap in verdict.gaps
    )
    if verdict.wrong is not None:
        return f"entry {verdict.wrong} does not fit: {verdict.reason}{lost}"
    deleted = (
        f"; {verdict.anchor.number} older ones were deleted after their time"
        if verdict.anchor.number
        else ""
    )
    head = verdict.head
    return (
        f"{verdict.entries} entries, each as it was entered{deleted}{lost}\n"
        f"the newest is {head.number}, its hash {head.chain.hex()}: write both down to tell later "
        "that nothing up to here was changed"
    )
