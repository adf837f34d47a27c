"""The figures as a picture to look at: speeds, stages, and each bar with what was reached."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk import annotate
from cleandesk.bench.figures import BARS, Collected, figures, stages
from cleandesk.bench.program import Memory
from cleandesk.bench.stats import Spread

Canvas = NDArray[np.uint8]
Colour = tuple[int, int, int]

_WIDTH, _ROW, _PAD = 1200, 30, 24
_LABEL_W, _VALUE_W, _CURVE_ROWS = 330, 230, 10
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _GREY, _PAPER = (40, 40, 40), (190, 190, 190), (255, 255, 255)
_BLUE, _PALE, _GREEN, _RED = (180, 120, 40), (235, 205, 165), (70, 150, 60), (60, 60, 205)
#: The bars of the last section end at so many times their limit.
_MOST_OF_LIMIT = 2.0


def write(collected: Collected, path: Path) -> None:
    """Draw the figures and write them as a picture.

    Args:
        collected: What was measured.
        path: Where to; its suffix names the format.

    Raises:
        OSError: If it cannot be written.
    """
    annotate.write(draw(collected), path)


def draw(collected: Collected) -> Canvas:
    """Return the figures as a picture, uint8 [height, width, 3]."""
    speeds = {
        part.value.replace("_", " "): Spread.of([one.fps for one in many])
        for part, many in collected.results.items()
    }
    times = stages(collected)
    rows = len(speeds) + len(times) + len(BARS) + 6 + (_CURVE_ROWS if collected.memory else 0)
    canvas = np.full((rows * _ROW + 2 * _PAD, _WIDTH, 3), _PAPER, np.uint8)
    y = _PAD
    if speeds:
        y = _speeds(canvas, y, speeds)
    if times:
        y = _stages(canvas, y, times)
    y = _heading(canvas, y + _ROW // 2, "Against the bars (black line): median, least, greatest")
    for name, many in figures(collected).items():
        y = _bar_row(canvas, y, name, many)
    if collected.memory:
        y = _heading(canvas, y + _ROW // 2, "Resident memory over time, MB")
        _curve(canvas, y, collected.memory)
    return canvas


def _speeds(canvas: Canvas, y: int, speeds: Mapping[str, Spread]) -> int:
    y = _heading(canvas, y, "Frames a second: median, and from least to greatest round")
    most = max(spread.max for spread in speeds.values())
    for name, spread in speeds.items():
        y = _spread_row(canvas, y, name, spread, most)
    return y


def _stages(canvas: Canvas, y: int, times: Mapping[str, Mapping[str, float]]) -> int:
    y = _heading(canvas, y + _ROW // 2, "Stages of our loop, ms: p50 (dark), p95, p99 (pale)")
    longest = max(one["p99_ms"] for one in times.values())
    for name, one in times.items():
        values = (one["p50_ms"], one["p95_ms"], one["p99_ms"])
        y = _stage_row(canvas, y, name, values, longest)
    return y


def _heading(canvas: Canvas, y: int, text: str) -> int:
    cv2.putText(canvas, text, (_PAD, y + 20), _FONT, 0.6, _INK, 1, cv2.LINE_AA)
    cv2.line(canvas, (_PAD, y + 28), (_WIDTH - _PAD, y + 28), _GREY, 1)
    return y + _ROW + 8


def _spread_row(canvas: Canvas, y: int, name: str, spread: Spread, most: float) -> int:
    _label(canvas, y, name)
    _box(canvas, y, 0, spread.median / most, _BLUE)
    _whisker(canvas, y, spread.min / most, spread.max / most)
    _value(canvas, y, f"{spread.median:.1f}  ({spread.min:.1f} - {spread.max:.1f})")
    return y + _ROW


def _stage_row(canvas: Canvas, y: int, name: str, values: Sequence[float], most: float) -> int:
    _label(canvas, y, name)
    p50, p95, p99 = (value / most for value in values)
    _box(canvas, y, p95, p99, _PALE, thin=True)
    _box(canvas, y, p50, p95, _PALE)
    _box(canvas, y, 0, p50, _BLUE)
    _value(canvas, y, "  ".join(f"{value:.3f}" for value in values))
    return y + _ROW


def _bar_row(canvas: Canvas, y: int, name: str, many: Sequence[float]) -> int:
    bar = BARS[name]
    _label(canvas, y, name)
    limit_x = _x(1 / _MOST_OF_LIMIT)
    if many:
        spread = Spread.of(many)
        scale = bar.limit * _MOST_OF_LIMIT
        _box(canvas, y, 0, spread.median / scale, _GREEN if bar.met(spread.median) else _RED)
        _whisker(canvas, y, spread.min / scale, spread.max / scale)
        _value(canvas, y, f"{f'{spread.median:.3f} {bar.unit}'.strip()}, bar {bar.limit:g}")
    else:
        _value(canvas, y, "not measured")
    cv2.line(canvas, (limit_x, y), (limit_x, y + _ROW - 4), (0, 0, 0), 2)
    return y + _ROW


def _curve(canvas: Canvas, y: int, memory: Memory) -> None:
    least, most = min(memory.mb), max(memory.mb)
    height = (_CURVE_ROWS - 3) * _ROW
    spread, length = max(most - least, 1.0), max(memory.times[-1], 1e-9)
    points = [
        (_x(at / length), y + height - round(height * (mb - least) / spread))
        for at, mb in zip(memory.times, memory.mb, strict=True)
    ]
    cv2.polylines(canvas, [np.array(points, np.int32)], False, _BLUE, 2, cv2.LINE_AA)
    _label(canvas, y, f"{least + spread:.1f} MB")
    _label(canvas, y + height - 18, f"{least:.1f} MB")
    _value(canvas, y + height - 18, f"{length:.0f} s, {memory.frames[-1]} frames")


def _x(share: float) -> int:
    left, right = _PAD + _LABEL_W, _WIDTH - _PAD - _VALUE_W
    return left + round((right - left) * min(max(share, 0.0), 1.0))


def _box(
    canvas: Canvas, y: int, start: float, end: float, colour: Colour, *, thin: bool = False
) -> None:
    margin = 10 if thin else 4
    corners = (_x(start), y + margin), (_x(end), y + _ROW - 4 - margin)
    cv2.rectangle(canvas, *corners, colour, cv2.FILLED)


def _whisker(canvas: Canvas, y: int, start: float, end: float) -> None:
    middle = y + _ROW // 2 - 2
    cv2.line(canvas, (_x(start), middle), (_x(end), middle), _INK, 1)
    for share in (start, end):
        cv2.line(canvas, (_x(share), middle - 5), (_x(share), middle + 5), _INK, 1)


def _label(canvas: Canvas, y: int, text: str) -> None:
    cv2.putText(canvas, text, (_PAD, y + 18), _FONT, 0.5, _INK, 1, cv2.LINE_AA)


def _value(canvas: Canvas, y: int, text: str) -> None:
    at = (_WIDTH - _PAD - _VALUE_W + 8, y + 18)
    cv2.putText(canvas, text, at, _FONT, 0.45, _INK, 1, cv2.LINE_AA)
