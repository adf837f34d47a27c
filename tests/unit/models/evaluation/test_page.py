"""The report stands between its marks, and nothing else of the page changes."""

import math
from pathlib import Path

import pytest

from models.evaluation.page import BEGIN, END, SECOND_LOOK, put, share, table
from models.evaluation.sets import EvaluationError


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    put(page, "new")
    put(page, "newer\n")
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\nnewer\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{END}"])
def test_a_page_without_marks_stays_as_it_is(tmp_path: Path, text: str) -> None:
    page = tmp_path / "README.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"README\.md.*two lines"):
        put(page, "new")
    assert page.read_text(encoding="utf-8") == text


def test_the_projects_own_page_has_the_marks() -> None:
    own = Path(__file__).resolve().parents[4] / "models" / "README.md"
    text = own.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
    assert text.index(SECOND_LOOK[0]) < text.index(SECOND_LOOK[1])


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.954, ".95"), (1.0, "1.00"), (0.0, ".00"), (math.nan, "-")],
)
def test_shares_are_short(value: float, shown: str) -> None:
    assert share(value) == shown


def test_a_table_has_as_many_cells_as_its_head() -> None:
    lines = table(("a", "b"), [("1", "2"), ("3", "4")]).splitlines()
    assert [line.count("|") for line in lines] == [3, 3, 3, 3]
