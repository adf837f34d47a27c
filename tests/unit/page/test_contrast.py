"""Colours: text and its ground differ enough for everybody (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

from cleandesk.page import settings

CSS = (Path(settings.__file__).parent / "static" / "page.css").read_text(encoding="utf-8")
PAIRS = [
    ("text", "ground"),
    ("text", "card"),
    ("quiet", "ground"),
    ("quiet", "card"),
    ("link", "ground"),
    ("link", "card"),
    ("on-main", "main"),
    ("on-note", "note"),
    ("on-good", "good"),
    ("on-bad", "bad"),
    ("working", "card"),
    ("break", "card"),
    ("absent", "card"),
    ("fault", "card"),
    ("break", "ground"),
    ("absent", "ground"),
    ("fault", "ground"),
]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    read = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for name, block in (("light", light), ("dark", dark))
    }
    assert read["light"].keys() == read["dark"].keys()
    return read


def luminance(colour: str) -> float:
    """Return the relative luminance as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_can_be_read(palette: str, front: str, back: str) -> None:
    colours = palettes()[palette]
    low, high = sorted((luminance(colours[front]), luminance(colours[back])))
    assert (high + 0.05) / (low + 0.05) >= 4.5
