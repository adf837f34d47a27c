"""JSON that came by MQTT -> plain data, as `config_yaml` makes it of a file."""

import json
import math
from pathlib import Path
from typing import Any

from cleandesk.config_yaml import MAX_DEPTH, Document
from cleandesk.problems import ConfigError, Location, Problem


def read_json(name: str, payload: bytes, most: int) -> Document:
    """Read one JSON document.

    Args:
        name: What problems call it.
        payload: UTF-8.
        most: More bytes are not read.

    Returns:
        The document; its places have no lines of their own.

    Raises:
        ConfigError: It is too large, not UTF-8, not JSON, or nested too deeply.
    """
    document = Document(Path(name), None)
    if len(payload) > most:
        raise _unreadable(document, f"it has {len(payload)} bytes", f"send {most} at most")
    try:
        document.data = json.loads(
            payload.decode(),
            object_pairs_hook=lambda pairs: _mapping(document, pairs),
            parse_constant=lambda word: _no_number(document, word),
        )
    except UnicodeDecodeError:
        raise _unreadable(document, "it is not UTF-8", "send UTF-8") from None
    except RecursionError:
        raise _unreadable(document, "it is nested too deeply", "is this the right one?") from None
    except ValueError as error:
        raise _unreadable(document, f"not valid JSON: {error}", "correct it") from None
    _check(document, document.data, ())
    return document


def _unreadable(document: Document, reason: str, fix: str) -> ConfigError:
    return ConfigError([document.problem((), reason, fix)])


def _mapping(document: Document, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        for key in sorted({key for key in keys if keys.count(key) > 1})[:3]:
            said = ascii(key[:40])
            problem = Problem(document.file, 1, "", f"the key {said} stands twice", "keep one")
            document.problems.append(problem)
    return made


def _no_number(document: Document, word: str) -> None:
    document.problems.append(document.problem((), f"{word} is no JSON", "write a number"))


def _check(document: Document, value: Any, at: Location) -> None:
    """Refuse what no message holds: too much depth, half characters, numbers without an end."""
    if len(at) > MAX_DEPTH:
        raise _unreadable(
            document, f"nested deeper than {MAX_DEPTH} levels", "is this the right one?"
        )
    if isinstance(value, dict):
        for key, one in value.items():
            _check(document, key, at)
            _check(document, one, (*at, key))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            _check(document, one, (*at, i))
    elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _unreadable(document, "it holds half a character", "write it as text")
    elif isinstance(value, float) and not math.isfinite(value):
        raise _unreadable(document, "a number is too large", "write a smaller one")
