"""YAML text -> plain data in which every value still knows its line."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cleandesk.problems import ConfigError, Location, Problem, key_path

MAX_BYTES = 256 * 1024
MAX_VALUES = 20_000  # after aliases are expanded, so that no "billion laughs" gets past it
MAX_DEPTH = 40

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """The safe loader without YAML 1.1's traps.

    `22:00` stays text (YAML 1.1 makes 1320 of it), as do `no`, `0123` and dates. What is still
    read as a number or a truth value is so in YAML 1.1 too: files written by PyYAML keep meaning
    what they meant.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=mark
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+0123456789."),
    ),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass
class Document:
    """What a file says.

    Attributes:
        file: As it was named.
        data: Mappings, lists, text, numbers, truth values, None. Keys are always text.
        lines: Line of every key and list item, counted from 1; `()` is the whole file.
        problems: What is wrong with the YAML itself, though it could be read.
    """

    file: Path
    data: Any
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, at: Location) -> int:
        """Return the line of a place, or of the nearest place around it."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def problem(self, at: Location, reason: str, fix: str) -> Problem:
        """Describe a problem at a place of this file."""
        return Problem(self.file, self.line(at), key_path(at), reason, fix)

    def rename(self, at: Location, key: str) -> None:
        """Call the key at a place otherwise, keeping the lines of all below it."""
        holder: Any = self.data
        for part in at[:-1]:
            holder = holder[part]
        holder[key] = holder.pop(at[-1])
        moved = {p: n for p, n in self.lines.items() if p[: len(at)] == at}
        for place, number in moved.items():
            self.lines[(*at[:-1], key, *place[len(at) :])] = number


def read(file: Path) -> Document:
    """Read one YAML file of at most `MAX_BYTES`.

    Raises:
        ConfigError: If it cannot be read, is not UTF-8 or not YAML.
    """
    text = _text(file)
    try:
        root = _Loader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = Problem(
            file, line, "", f"a control character ({error.character:#x}) is in it", "delete it"
        )
        raise ConfigError([problem]) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax(file, text, error)]) from None
    except (ValueError, OverflowError) as error:  # e.g. an escape beyond Unicode
        problem = Problem(file, None, "", f"not valid YAML: {error}", "correct the escape")
        raise ConfigError([problem]) from None
    document = Document(file, None)
    document.data = _Expansion(document).value(root, ()) if root is not None else None
    return document


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        reason, fix = "there is no such file", "check the path"
    except IsADirectoryError:
        reason, fix = "this is a folder", "name the file inside it"
    except PermissionError:
        reason, fix = "reading it is not allowed", "give this user the right to read it"
    except (OSError, ValueError) as error:
        reason, fix = f"it cannot be read ({error})", "check the path and the disk"
    else:
        return _decode(file, raw)
    raise ConfigError([Problem(file, None, "", reason, fix)]) from None


def _decode(file: Path, raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        problem = Problem(
            file, None, "", f"it is larger than {MAX_BYTES // 1024} KiB", "is this the right file?"
        )
        raise ConfigError([problem])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        reason = f"byte {raw[error.start]:#04x} is not UTF-8"
        raise ConfigError([Problem(file, line, "", reason, "save the file as UTF-8")]) from None


_SYNTAX = (
    ("'\\t'", "a tab is where only spaces may be", "indent with spaces"),
    (
        "mapping values are not allowed",
        "a ':' cannot stand here",
        "indent this line like its neighbours, or put text that holds ': ' in quotes",
    ),
    (
        "could not find expected ':'",
        "a line before this one is neither 'key: value' nor '- item'",
        "add the ':' and a space after it",
    ),
    (
        "expected <block end>",
        "this line does not belong to the lines before it",
        "indent it like its neighbours",
    ),
    ("expected ',' or", "a ',' or a closing bracket is missing before this", "close the list"),
    ("found unexpected end of stream", "a quote is opened and never closed", "close it"),
    ("undefined alias", "'*' begins the name of an anchor that is not defined", "use quotes"),
    ("expected a single document", "'---' begins a second document", "keep one document"),
    ("cannot start any token", "a value cannot begin with this character", "use quotes"),
    ("nested deeper", f"it is nested deeper than {MAX_DEPTH} levels", "is this the right file?"),
)


def _syntax(file: Path, text: str, error: yaml.MarkedYAMLError) -> Problem:
    said = " ".join(str(part) for part in (error.problem, error.context) if part)
    mark = error.problem_mark or error.context_mark
    last = max(1, len(text.splitlines()))
    line = min(mark.line + 1, last) if mark is not None else 1
    if "cannot start any token" in said and mark is not None and text[mark.index :][:1] == "\t":
        said += " '\\t'"
    for marker, reason, fix in _SYNTAX:
        if marker in said:
            return Problem(file, line, "", f"not valid YAML: {reason}", fix)
    return Problem(file, line, "", f"not valid YAML: {said}", "correct this line")


def _is_text(text: str) -> bool:
    """Say whether a text can be written; half of a surrogate pair cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": int,
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
}


class _Expansion:
    """Nodes -> data, aliases expanded, within bounds."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MAX_VALUES

    def value(self, node: yaml.Node, at: Location) -> Any:
        self._left -= 1
        self._document.lines.setdefault(at, node.start_mark.line + 1)
        if self._left < 0 or len(at) > MAX_DEPTH:
            problem = self._document.problem(
                at[:3], f"more than {MAX_VALUES} values or {MAX_DEPTH} levels", "use fewer aliases"
            )
            raise ConfigError([problem])
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.value(item, (*at, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, at)
        return self._refuse(at, f"the tag '{node.tag}' is not understood", "remove it")

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(at, "a key is a list or a mapping", "write plain text", line)
                continue
            key = str(key_node.value)
            if not _is_text(key):
                self._refuse(at, "a key holds half a character", "write it as text", line)
                continue
            if key in data:
                first = self._document.line((*at, key))
                reason = f"the key stands a second time; it is on line {first} already"
                self._refuse((*at, key), reason, "keep one of them", line)
                continue
            self._document.lines[(*at, key)] = line
            data[key] = self.value(value_node, (*at, key))
        return data

    def _scalar(self, node: yaml.ScalarNode, at: Location) -> Any:
        text, kind = str(node.value), node.tag.removeprefix(_TAG)
        if not _is_text(text):
            return self._refuse(at, "it holds half a character", "write it as text")
        if kind not in _SCALARS:
            return self._refuse(at, f"the tag '{node.tag}' is not understood", "remove it")
        try:
            return _SCALARS[kind](text)
        except (ValueError, KeyError):
            return self._refuse(at, f"'{text[:20]}' is no {kind}", "correct it")

    def _refuse(self, at: Location, reason: str, fix: str, line: int | None = None) -> None:
        line = self._document.line(at) if line is None else line
        problem = Problem(self._document.file, line, key_path(at), reason, fix)
        self._document.problems.append(problem)
