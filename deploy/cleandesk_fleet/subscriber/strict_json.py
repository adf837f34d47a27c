"""JSON as strangers send it: everything that could surprise a reader or the log is refused."""

import json
from typing import NoReturn

MAX_DEPTH = 16
#: Integers that every JSON reader holds exactly (RFC 8259, section 6).
MAX_INTEGER = 2**53


class UnreadableError(ValueError):
    """A payload that is not JSON we take; the text says why."""


def check(payload: bytes) -> object:
    """Parse a payload and return its value: text, numbers, lists and dicts.

    Raises:
        UnreadableError: For anything but UTF-8 JSON with unique keys, finite numbers, integers
            below 2**53, at most 16 levels, and text that holds neither NUL nor lone surrogates.
    """
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not UTF-8: byte {error.start}: {error.reason}") from None
    try:
        value: object = _DECODER.decode(text)
    except UnreadableError:
        raise
    except RecursionError:
        raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise UnreadableError(f"not JSON: {error}"[:200]) from None
    if not _plain(payload):
        _walk(value)
    return value


def _plain(payload: bytes) -> bool:
    """Say whether a look at the bytes shows that no text and no depth can surprise."""
    return (
        b"\\" not in payload
        and payload.isascii()
        and payload.count(b"{") + payload.count(b"[") <= MAX_DEPTH
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("a key occurs twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise UnreadableError(f"number {text[:40]} is too large")
    return number


def _small(text: str) -> int:
    # Counting digits first: Python takes quadratic time for long ones.
    if len(text) > len(str(-MAX_INTEGER)) or abs(int(text)) >= MAX_INTEGER:
        raise UnreadableError(f"integer {text[:40]} is 2**53 or more")
    return int(text)


#: One for all: to make one takes longer than to read an event.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_no_constant,
    parse_float=_finite,
    parse_int=_small,
)


def _walk(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str):
                _printable(item)
        if not below:
            return
        level = below
    raise UnreadableError(f"nested deeper than {MAX_DEPTH} levels")


def _printable(text: str) -> None:
    if "\0" in text:
        raise UnreadableError("a text holds a NUL character")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise UnreadableError("a text holds half of a surrogate pair")
