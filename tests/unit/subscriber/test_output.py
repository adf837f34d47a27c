import csv
import io
import json
from typing import Any

import pytest

from cleandesk_fleet.subscriber.output import Format, Writer
from tests.unit.subscriber.make import START

ROW: dict[str, Any] = {
    "opened_at": START,
    "closed_at": None,
    "rule": "no-phone",
    "score": 0.876543,
    "replayed": True,
    "place": [0.1, 0.2, 0.3, 0.4],
}


def written(form: Format, *parts: list[dict[str, Any]]) -> str:
    stream = io.StringIO()
    columns = ("opened_at", "closed_at", "rule", "score", "replayed")
    writer = Writer(form, columns=columns, every=(*columns, "place"), stream=stream)
    for rows in parts:
        assert writer.write(rows) == len(rows)
    return stream.getvalue()


def test_json_lines_hold_every_value() -> None:
    (line,) = written(Format.JSONL, [ROW]).splitlines()
    assert json.loads(line) == ROW | {"opened_at": "2026-05-04T08:00:00.000Z"}


def test_csv_has_one_header_over_all_parts() -> None:
    rows = list(csv.reader(io.StringIO(written(Format.CSV, [ROW], [ROW]))))
    assert rows[0] == ["opened_at", "closed_at", "rule", "score", "replayed", "place"]
    assert (
        rows[1]
        == rows[2]
        == [
            "2026-05-04T08:00:00.000Z",
            "",
            "no-phone",
            "0.876543",
            "true",
            "0.1 0.2 0.3 0.4",
        ]
    )


def test_csv_of_nothing_is_a_header() -> None:
    assert written(Format.CSV, [], []).splitlines() == [
        '"opened_at","closed_at","rule","score","replayed","place"'
    ]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "\uff20SUM(A1)"],
)
def test_csv_cells_are_no_formulas(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(written(Format.CSV, [ROW | {"rule": text}])))
    assert row[2] == f"'{text}".replace("\r", "\N{REPLACEMENT CHARACTER}")


STEERING = "\x1b[31m\x07\x9b2J\x7f\u202egnp.exe\u2066\u2028end"


def test_a_boxs_words_steer_no_terminal_in_any_form() -> None:
    for form in Format:
        text = written(form, [ROW | {"rule": STEERING}])
        assert not set("\x1b\x07\x9b\x7f\u202e\u2066\u2028") & set(text), form
        assert "gnp.exe" in text
    (line,) = written(Format.JSONL, [ROW | {"rule": STEERING}]).splitlines()
    assert json.loads(line)["rule"] == STEERING


@pytest.mark.parametrize("text", ['a,"b"', "two\nlines", "'", "ü"])
def test_csv_quotes_what_it_must(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(written(Format.CSV, [ROW | {"rule": text}]), newline=""))
    assert row[2] == text


def test_a_table_is_for_people() -> None:
    header, line = written(Format.TABLE, [ROW]).splitlines()
    assert header.split() == ["opened", "closed", "rule", "score", "replayed"]
    assert line.split() == ["2026-05-04", "08:00:00Z", "-", "no-phone", "0.88", "yes"]


def test_a_followed_table_has_one_header() -> None:
    lines = written(Format.TABLE, [], [ROW], [ROW]).splitlines()
    assert len(lines) == 3


def test_a_boxs_words_steer_neither_terminal_nor_markup() -> None:
    text = written(Format.TABLE, [ROW | {"rule": "\x1b[31m[bold]red[/]\x07\u202e"}])
    assert "\N{REPLACEMENT CHARACTER}[31m[bold]red[/]" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
