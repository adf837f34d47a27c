"""What the subscriber's answers release: events, and papers that it answers for."""

import hashlib
import logging
from collections.abc import Iterable, Sequence

from cleandesk.clock import Instant
from cleandesk.contract.messages import AckResult, AckStatus
from cleandesk.link.book import Book
from cleandesk.link.store import Store

log = logging.getLogger(__name__)

_DIGEST = "sha256:"


def release(store: Store, book: Book, results: Sequence[AckResult], at: Instant) -> frozenset[str]:
    """Note in the books what was answered for; the file follows with the next `write`.

    Args:
        store: The file.
        book: The books.
        results: The answers.
        at: The present moment.

    Returns:
        The ids of what was released: known, and not released before.

    Raises:
        sqlite3.Error: If the file cannot be read.
    """
    released = {
        event_id
        for event_id, result in _by_event_id(store, results)
        if _release_event(store, book, event_id, result, at)
    }
    return frozenset(released | _release_papers(store, book, results, at))


def _by_event_id(store: Store, results: Sequence[AckResult]) -> list[tuple[str, AckResult]]:
    """Pair each answer with an event_id; one by digest means a payload nobody could read."""
    named = [(one.id, one) for one in results if not one.id.startswith(_DIGEST)]
    digests = {
        bytes.fromhex(one.id.removeprefix(_DIGEST)): one
        for one in results
        if one.id.startswith(_DIGEST)
    }
    if digests:
        found = store.find_digests(digests)
        named += [(event_id, digests[digest]) for event_id, digest in found]
    return named


def _release_event(store: Store, book: Book, event_id: str, result: AckResult, at: Instant) -> bool:
    found = store.find(event_id)
    if found is None or found[0] in book.settled:
        return False
    id_, size, entry = found
    book.settled[id_] = size
    book.depth -= 1
    book.bytes -= size
    book.pages.answered(entry, result.result, at)
    _tell_refused(book, event_id, result)
    return True


def _release_papers(
    store: Store, book: Book, results: Iterable[AckResult], at: Instant
) -> frozenset[str]:
    if not book.pages.papers:
        return frozenset()
    answers = {one.id: one for one in results}
    unread = any(id_.startswith(_DIGEST) for id_ in answers)
    released: set[str] = set()
    for id_, entry, message_id in store.papers.answered():
        result = answers.get(message_id)
        if result is None and unread:
            digest = hashlib.sha256(store.papers.payload(id_)).hexdigest()
            result = answers.get(_DIGEST + digest)
        if result is not None and id_ not in book.pages.done:
            book.pages.settled(id_)
            book.pages.answered(entry, result.result, at)
            _tell_refused(book, message_id, result)
            released.add(message_id)
    return frozenset(released)


def _tell_refused(book: Book, message_id: str, result: AckResult) -> None:
    if result.result in {AckStatus.QUARANTINED, AckStatus.REFUSED}:
        book.refused += 1
        log.error(
            "the subscriber did not log an event",
            extra={
                "event_id": message_id,
                "result": result.result.value,
                "reason": result.reason,
                "fix": "look at it there: cleandesk-subscriber's quarantine and version",
            },
        )
