"""What pydantic found wrong, said in plain words, with what to do about it."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cleandesk.contract.topics import NAME_PATTERN

Words = tuple[str, str]

_LONGEST_SHOWN = 40
_PATTERNS = {
    NAME_PATTERN: "use 1 to 64 of a-z, 0-9 and '-', with no '-' at either end",
    r"^[0-9a-f]{64}$": "write 64 hexadecimal digits",
}


def guess(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, or None."""
    plain = {k.casefold().replace("-", "_"): k for k in known}
    near = difflib.get_close_matches(
        word.casefold().replace("-", "_"), list(plain), n=1, cutoff=0.55
    )
    return plain[near[0]] if near else None


def choices(word: str, known: Iterable[str]) -> str:
    """Write the fix for a word that is none of the known ones."""
    known = list(known)
    meant = guess(word, known)
    listed = ", ".join(known) or "nothing"
    return f"did you mean '{meant}'? Known: {listed}" if meant else f"use one of {listed}"


def show(value: object) -> str:
    """Write a value for people: short, and without what may be a password in an address."""
    if isinstance(value, str):
        return "an address" if "://" in value else f"'{_short(value)}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return _short(str(value))
    return _KINDS.get(type(value), f"a {type(value).__name__}")


_KINDS: dict[type, str] = {type(None): "nothing", dict: "a mapping", list: "a list"}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def words(error: Mapping[str, Any], about: str | None) -> Words:
    """Say what one of pydantic's errors means.

    Args:
        error: One of `ValidationError.errors()`, of any kind but unknown keys and union tags.
        about: The setting's description, where it has one.

    Returns:
        The reason, and the fix.
    """
    kind, context, given = str(error["type"]), error.get("ctx", {}), error["input"]
    if given is None and kind != "missing":
        return "it is empty", _hint("give it a value, or delete the key", about)
    for pattern, make in _WORDS:
        if re.fullmatch(pattern, kind):
            reason, fix = make(context, given)
            return reason, _hint(fix, about)
    return str(error["msg"]).removeprefix("Value error, "), _hint("correct the value", about)


def _hint(fix: str, about: str | None) -> str:
    return f"{fix} ({about})" if about else fix


def _expected(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text) or [text]


def _literal(context: Mapping[str, Any], given: object) -> Words:
    known = _expected(str(context["expected"]))
    return f"{show(given)} is not allowed", choices(str(given), known)


def _bound(what: str, key: str) -> Callable[[Mapping[str, Any], object], Words]:
    def make(context: Mapping[str, Any], given: object) -> Words:
        return f"{show(given)} is out of range", f"write a number {what} {context[key]:g}"

    return make


def _length(context: Mapping[str, Any], given: object) -> Words:
    what = "characters" if isinstance(given, str) else "entries"
    least, most = context.get("min_length"), context.get("max_length")
    has = context.get("actual_length", len(given) if isinstance(given, str | list | dict) else 0)
    need = f"at least {least}" if least is not None else f"at most {most}"
    return f"has {has} {what}", f"write {need}"


def _pattern(context: Mapping[str, Any], given: object) -> Words:
    pattern = str(context["pattern"])
    return f"{show(given)} does not fit", _PATTERNS.get(pattern, f"write it to match {pattern}")


def _text(_: Mapping[str, Any], given: object) -> Words:
    fix = f'put it in quotes: "{given}"' if isinstance(given, int | float) else "write a text"
    return f"must be text, not {show(given)}", fix


def _wrong(what: str, fix: str) -> Callable[[Mapping[str, Any], object], Words]:
    return lambda _, given: (f"must be {what}, not {show(given)}", fix)


def _missing(_: Mapping[str, Any], __: object) -> Words:
    return "it is missing", "add it"


def _validator(context: Mapping[str, Any], _: object) -> Words:
    reason, _separator, fix = str(context.get("error", "it does not fit")).partition("; ")
    return reason, fix or "correct the value"


_WORDS: tuple[tuple[str, Callable[[Mapping[str, Any], Any], Words]], ...] = (
    ("missing", _missing),
    ("literal_error|enum", _literal),
    ("greater_than", _bound("greater than", "gt")),
    ("greater_than_equal", _bound("at least", "ge")),
    ("less_than", _bound("less than", "lt")),
    ("less_than_equal", _bound("at most", "le")),
    ("too_short|too_long|string_too_short|string_too_long", _length),
    ("string_pattern_mismatch", _pattern),
    ("string_type|string_sub_type", _text),
    ("path_type", _wrong("a path", "write the path of a file as text")),
    ("int_from_float|int_type|int_parsing|int_parsing_size", _wrong("a whole number", "write one")),
    ("float_type|float_parsing|finite_number", _wrong("a number", "write one, such as 0.5")),
    ("bool_type|bool_parsing", _wrong("true or false", "write true or false")),
    ("list_type|tuple_type|set_type", _wrong("a list", "write [a, b], or lines '- a'")),
    (
        "dict_type|model_type|model_attributes_type",
        _wrong("a mapping", "write its keys below it, indented, as 'key: value'"),
    ),
    ("datetime_.*", _wrong("a moment", "write one such as 2026-03-02T08:30:00Z")),
    ("timezone_.*", _wrong("a moment with its time zone", "end it in Z or +01:00")),
    ("time_.*", _wrong("a time of day", 'write one such as "08:30"')),
    ("value_error|assertion_error", _validator),
)
