"""Rows for people (a table), for spreadsheets (CSV) and for programs (JSON lines)."""

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleandesk.contract.messages import timestamp
from cleandesk_fleet.subscriber.queries import Row

#: Of a table into a pipe: nothing is cut.
_PIPE_WIDTH = 250
#: A spreadsheet takes a cell that begins so for a formula, by wide characters in some languages.
_FORMULA = re.compile(r"^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
#: What steers a terminal, or turns its text around. Of these JSON itself escapes only the first 32.
_STEERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LINES = frozenset("\t\n")


class Format(StrEnum):
    """How to write rows."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"


class Writer:
    """Writes rows as they come; further ones may follow later.

    Args:
        form: Table, CSV or JSON lines. JSON lines hold everything.
        columns: Columns of the table.
        every: Columns of CSV.
        stream: Where to; default is standard output.
    """

    def __init__(
        self,
        form: Format,
        *,
        columns: Sequence[str],
        every: Sequence[str],
        stream: TextIO | None = None,
    ) -> None:
        self._form = form
        self._columns = columns
        self._every = every
        self._stream = stream or sys.stdout
        self._begun = False

    def write(self, rows: Iterable[Row]) -> int:
        """Write rows; return how many there were.

        Whoever reads a pipe may have enough (`| head`): then the program ends, and well.
        """
        try:
            match self._form:
                case Format.TABLE:
                    written = self._table(rows)
                case Format.CSV:
                    written = self._csv(rows)
                case Format.JSONL:
                    written = self._jsonl(rows)
            self._stream.flush()
        except BrokenPipeError:
            # What is still buffered would complain once more on the way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise SystemExit(0) from None
        self._begun = True
        return written

    def _jsonl(self, rows: Iterable[Row]) -> int:
        written = 0
        for written, row in enumerate(rows, 1):  # noqa: B007 - counts
            line = {key: _plain(value) for key, value in row.items()}
            text = json.dumps(line, ensure_ascii=False)
            self._stream.write(_STEERS.sub(_escaped, text) + "\n")
        return written

    def _csv(self, rows: Iterable[Row]) -> int:
        written = 0
        writer = csv.writer(self._stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        if not self._begun:
            writer.writerow(self._every)
        for written, row in enumerate(rows, 1):  # noqa: B007 - counts
            writer.writerow([_cell(row[name]) for name in self._every])
        return written

    def _table(self, rows: Iterable[Row]) -> int:
        console = Console(file=self._stream)
        if not console.is_terminal:
            console = Console(file=self._stream, width=_PIPE_WIDTH)
        table = Table(box=None, show_header=not self._begun, pad_edge=False)
        for name in self._columns:
            table.add_column(name.removesuffix("_at"), overflow="fold")
        for row in rows:
            table.add_row(*(Text(_shown(row[name])) for name in self._columns))
        if table.row_count or not self._begun:
            console.print(table)
        return table.row_count


def _plain(value: Any) -> Any:
    return timestamp(value) if isinstance(value, datetime) else value


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    if isinstance(value, str):
        text = _STEERS.sub(_unless_a_line, value)
        return f"'{text}" if _FORMULA.match(value) else text
    return _plain(value)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _unless_a_line(found: re.Match[str]) -> str:
    return found[0] if found[0] in _LINES else "\N{REPLACEMENT CHARACTER}"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case float():
            return f"{value:.2f}"
        case _:
            return visible(str(value))


def visible(text: str) -> str:
    """Return a box's text so that it cannot steer what shows it: nothing but what can be seen."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
