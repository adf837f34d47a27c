"""Text in the box is worth it where it tells sheets from the rest, and not where it doesn't."""

import json

import pytest

from models.evaluation import second_look
from models.evaluation.json_form import plain
from models.evaluation.reading import SIDES, ReadSet
from models.evaluation.second_look import Halves, Outcome, SecondLook
from models.evaluation.second_look_page import HEAD, rows, write
from models.evaluation.sets import PictureSet
from models.evaluation.text_detector import Text
from tests.unit.models.evaluation.makers import A, B, found, labelled, picture

PAPER = frozenset({"paper"})
EMPTY = ReadSet(PictureSet("rooms", (), PAPER), (), dict.fromkeys(SIDES, ()))
WRITTEN, BLANK = Text(3, 0.3), Text(0, 0.0)


def desks(on_sheets: Text, on_books: Text, count: int = 60) -> ReadSet:
    """Each with a sheet and a book, which are found as paper with the same scores."""
    pictures = tuple(picture({"paper": labelled(A), "notebook": labelled(B)}) for _ in range(count))
    scores = [0.55 + 0.4 * i / count for i in range(count)]
    finds = tuple(found(("paper", A, s), ("paper", B, s - 0.001)) for s in scores)
    texts = ((on_sheets, on_books),) * count
    return ReadSet(PictureSet("desks", pictures, PAPER), finds, dict.fromkeys(SIDES, texts))


def measure(on_sheets: Text, on_books: Text) -> SecondLook:
    half = Halves(EMPTY, desks(on_sheets, on_books))
    return second_look.measure(half, half)


def test_text_on_sheets_alone_is_worth_it() -> None:
    look = measure(WRITTEN, BLANK)
    assert look.ship
    assert look.best.reached
    assert look.best.told.recall == 1
    assert look.alone.told.bound < 0.6
    assert look.truly == {"paper": (60, 60), "notebook": (60, 0)}


@pytest.mark.parametrize("text", [WRITTEN, BLANK])
def test_text_that_says_nothing_is_not(text: Text) -> None:
    look = measure(text, text)
    assert not look.ship
    assert look.best.told.bound <= look.alone.told.bound


def test_text_on_what_is_no_sheet_counts_against_a_find() -> None:
    look = measure(BLANK, WRITTEN)
    assert look.ship
    assert "one without" in look.best.name


def test_what_the_choose_half_liked_must_hold_on_the_other() -> None:
    choose, report = (
        Halves(EMPTY, desks(*texts)) for texts in ((WRITTEN, BLANK), (BLANK, WRITTEN))
    )
    look = second_look.measure(choose, report)
    assert look.best.reached
    assert not look.ship


@pytest.mark.parametrize(
    ("bound", "recall", "worth"),
    [(0.96, 0.2, True), (0.96, 0.19, False), (0.94, 0.29, False), (0.9, 0.31, True),
     (0.89, 0.9, False)],
)  # fmt: skip
def test_it_must_prove_its_precision_or_find_much_more(
    bound: float,
    recall: float,
    worth: bool,  # noqa: FBT001
) -> None:
    alone = Outcome(50, 46, 0.9, 0.2, 0.5)
    assert Outcome(50, 46, bound, recall, 0.5).worth(alone) is worth


def test_what_the_score_alone_proves_too_is_no_gain() -> None:
    alone = Outcome(50, 50, 0.99, 0.2, 0.5)
    assert not Outcome(52, 52, 0.99, 0.22, 0.5).worth(alone)


def test_the_section_tells_of_every_rule_and_the_verdict() -> None:
    look = measure(WRITTEN, WRITTEN)
    text = write(look, (24, 19))
    assert "**Not shipped.**" in text
    assert "takes 19 ms" in text
    assert all(f"| {tried.name} |" in text for tried in look.tried)
    assert "| notebook | 60 | 60 | 1.00 |" in text
    assert "nan" not in text
    assert all(len(row) == len(HEAD) for row in rows(look))


def test_programs_get_the_same() -> None:
    read = json.loads(json.dumps(plain(measure(WRITTEN, BLANK)), allow_nan=False))
    assert read["best"]["criterion"]["side"] in SIDES
    assert read["truly"]["notebook"] == [60, 0]
