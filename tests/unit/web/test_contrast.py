"""Colours: text and its ground differ enough for everybody (WCAG 2.2, 1.4.3)."""

import re
from pathlib import Path

import pytest

from cleandesk_fleet import web
from tests.unit.page.test_contrast import luminance

CSS = (Path(web.__path__[0]) / "static" / "ops.css").read_text(encoding="utf-8")
FRONTS = ("text", "quiet", "link", "good", "warn", "bad")
PAIRS = [
    *((front, back) for front in FRONTS for back in ("ground", "card")),
    *(("on-main", "main"), ("on-note", "note"), ("on-done", "done"), ("on-problem", "problem")),
]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    read = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for name, block in (("light", light), ("dark", dark))
    }
    assert read["light"].keys() == read["dark"].keys()
    return read


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_can_be_read(palette: str, front: str, back: str) -> None:
    colours = palettes()[palette]
    low, high = sorted((luminance(colours[front]), luminance(colours[back])))
    assert (high + 0.05) / (low + 0.05) >= 4.5
