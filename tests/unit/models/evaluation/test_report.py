"""The report as a page, as JSON, and as pictures small enough for a repository."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.evaluation import plots
from models.evaluation.calibrate import reliability
from models.evaluation.confusion import NOTHING, Confusion
from models.evaluation.json_form import plain
from models.evaluation.measures import Third, Together, figures
from models.evaluation.operating_point import OperatingPoint
from models.evaluation.page import write
from models.evaluation.report import MODEL, Compared, OnSet, Report
from tests.unit.models.evaluation.makers import NAMES, judged

MOST_BYTES = 150_000


@pytest.fixture(name="report")
def _report() -> Report:
    one = judged([0.9, 0.8], [0.7], things=4)
    row = reliability(one.scores, one.right)
    said = Counter({("phone", "phone"): 2, ("phone", NOTHING): 1, ("phone", "wallet"): 1})
    classes = {name: figures(one, 0.5) for name in NAMES}
    sizes = {name: dict.fromkeys(("small", "medium", "large"), figures(one, 0.5)) for name in NAMES}
    together = Together(0.5, 0.7, np.nan)
    confusion = Confusion(said, Counter(phone=2), Counter(wallet=3))
    on = OnSet("rooms", 2, classes, sizes, together, row, row, confusion)
    point = OperatingPoint(dict.fromkeys(NAMES, 0.5), {}, ("paper",))
    compared = Compared({"phone": 0.4}, {"phone": 0.3}, 0.4, 0.3)
    return Report(
        "ab" * 32, NAMES, point, on, on, {"bench": {"phone": figures(one, 0.5)}},
        {MODEL: compared, "teacher": compared},
        {"rooms": {"as it is": together, "dark": together}}, [], [Third("darkest", -30, 5, 9, 0.5)],
    )  # fmt: skip


def test_the_page_tells_of_every_part(report: Report) -> None:
    text = write(report)
    for word in (
        "paper\\*",
        "teacher",
        "wallet | 3 | .33 | phone 1",
        "darkest",
        "dark",
        "not be",
        "bench | phone",
    ):
        assert word in text
    assert "nan" not in text


def test_programs_get_the_same(report: Report) -> None:
    read = json.loads(json.dumps(plain(report), allow_nan=False))
    assert read["rooms"]["confusion"]["said"] == {
        "phone -> phone": 2,
        f"phone -> {NOTHING}": 1,
        "phone -> wallet": 1,
    }
    assert read["rooms"]["all"]["recall"] is None
    assert read["scenes"]["confusion"]["others"] == {"wallet": 3}
    assert read["point"]["unverified"] == ["paper"]


def test_every_picture_is_drawn_and_small(report: Report, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="only the training environment draws")
    paths = plots.draw(report, tmp_path)
    assert len(paths) == 4
    assert all(0 < path.stat().st_size <= MOST_BYTES for path in paths)
    assert all(f"figures/{path.name}" in write(report) for path in paths)
