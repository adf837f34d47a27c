"""The checklist for ETSI EN 303 645 leaves out nothing, and names tests that are there."""

import re

from tests.named_tests import is_there, quoted, rows
from tests.rig import ROOT

TEXT = (ROOT / "deploy" / "etsi.md").read_text(encoding="utf-8")
#: Table B.1 of V3.1.3: for each clause how many provisions there are, and which are more than one.
CLAUSES = {
    "5.0": (1, {}),
    "5.1": (5, {2: ("", "A")}),
    "5.2": (3, {}),
    "5.3": (16, {4: ("A", "B"), 6: ("A", "B"), 15: ("A", "B")}),
    "5.4": (4, {}),
    "5.5": (8, {}),
    "5.6": (9, {4: ("A", "B")}),
    "5.7": (2, {}),
    "5.8": (3, {}),
    "5.9": (3, {}),
    "5.10": (1, {}),
    "5.11": (4, {}),
    "5.12": (3, {}),
    "5.13": (1, {1: ("A", "B")}),
    "6": (8, {3: ("A", "B")}),
}
MET, PARTLY, NOT_MET, NOT_APPLICABLE = "met", "partly", "not met", "not applicable"


def _provisions() -> list[str]:
    return [
        f"{clause}-{number}{letter}"
        for clause, (last, letters) in CLAUSES.items()
        for number in range(1, last + 1)
        for letter in letters.get(number, ("",))
    ]


def _tests(shown: str) -> list[str]:
    return [words for words in quoted(shown) if "::" in words]


def test_every_provision_is_answered_once_and_in_its_order() -> None:
    assert [row[0] for row in rows(TEXT, "provision")] == _provisions()
    answers = {answer for _, _, answer, _ in rows(TEXT, "provision")}
    assert answers == {MET, PARTLY, NOT_MET, NOT_APPLICABLE}


def test_what_is_met_or_partly_so_names_a_test() -> None:
    for provision, _, answer, shown in rows(TEXT, "provision"):
        assert bool(_tests(shown)) == (answer in {MET, PARTLY}), provision


def test_what_is_not_met_says_why() -> None:
    for provision, asked, answer, shown in rows(TEXT, "provision"):
        assert asked, provision
        words = re.sub(r"`[^`]*`", "", shown)
        assert answer == MET or len(words.split()) >= 2, provision
        for other in re.findall(r"\bas (\d\S*)", shown):
            assert other.rstrip(";,") in _provisions(), provision


def test_each_test_that_is_named_is_there() -> None:
    places = [place for row in rows(TEXT, "provision") for place in _tests(row[3])]
    assert len(places) > 50
    assert [place for place in places if not is_there(place)] == []
