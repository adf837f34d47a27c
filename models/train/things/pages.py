"""What sheets of paper say: letters, tables, forms, charts, newspapers, notes, codes."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from models.train import ink
from models.train.picture import Picture, Rng
from models.train.things.shapes import bright

_PRINT: Final = (35, 35, 35)


def _ink(rng: Rng) -> ink.Colour:
    return ink.INKS[int(rng.integers(len(ink.INKS)))]


def _tint(rng: Rng) -> ink.Colour:
    return bright(rng, 0.3, 0.8) if rng.random() < 0.5 else _ink(rng)


def _body(
    page: Picture, rng: Rng, box: tuple[float, float, float, float], *, columns: int = 1
) -> None:
    """Text blocks with sub-headings in one or more columns of a box of fractions."""
    step, kind, colour = rng.uniform(0.016, 0.026) * page.shape[0], ink.print_kind(rng), _ink(rng)
    wide = (box[2] - box[0]) / columns
    justified = rng.random() < 0.6
    for c in range(columns):
        left = box[0] + c * wide
        y = box[1]
        while y < box[3] - 0.04:
            end = min(box[3], y + rng.uniform(0.08, 0.35))
            where = ink.clipped(page, (left, y, left + wide * 0.94, end))
            ink.lines(page, rng, where, step=step, kind=kind, ink=colour, justified=justified)
            y = end + 0.01
            if rng.random() < 0.5 and y < box[3] - 0.06:
                high = step * 1.25 / page.shape[0]
                head = ink.clipped(page, (left, y, left + wide * rng.uniform(0.3, 0.8), y + high))
                ink.heading(page, rng, head, colour, kind=1)
                y = y + high + 0.008


def letter(page: Picture, rng: Rng) -> None:
    """Letterhead, addresses, a text, a signature."""
    colour = _tint(rng)
    if rng.random() < 0.6:
        x = rng.choice([0.1, 0.4, 0.65])
        logo = ink.clipped(page, (x, 0.04, x + rng.uniform(0.08, 0.25), 0.04 + 0.05))
        if rng.random() < 0.5:
            cv2.rectangle(page, logo[:2], logo[2:], colour, -1)
        else:
            ink.heading(page, rng, logo, colour)
    side = rng.choice([0.1, 0.6])
    address = ink.clipped(page, (side, 0.12, side + 0.28, 0.12 + rng.uniform(0.06, 0.1)))
    ink.lines(page, rng, address, step=0.019 * page.shape[0], kind=0, justified=False)
    end = rng.uniform(0.45, 0.85)
    _body(page, rng, (0.1, 0.26, 0.92, end))
    if rng.random() < 0.6:
        ink.handwriting(page, rng, (0.1, end + 0.02, 0.4, end + 0.1))
    if rng.random() < 0.4:
        foot = ink.clipped(page, (0.1, 0.94, 0.9, 0.96))
        ink.lines(page, rng, foot, step=0.014 * page.shape[0], kind=4, justified=False)


def report(page: Picture, rng: Rng) -> None:
    """A title, text in one or two columns, perhaps a figure."""
    title = ink.clipped(page, (0.1, 0.06, rng.uniform(0.5, 0.9), 0.06 + rng.uniform(0.025, 0.055)))
    ink.heading(page, rng, title, _tint(rng))
    top = 0.14
    if rng.random() < 0.3:
        h, w = page.shape[:2]
        cv2.line(page, (int(0.1 * w), int(0.125 * h)), (int(0.9 * w), int(0.125 * h)), _tint(rng))
    figure = rng.random()
    if figure < 0.25:
        at = ink.clipped(page, (0.12, 0.15, 0.88, 0.15 + rng.uniform(0.12, 0.3)))
        ink.photograph(page, rng, at)
        top = at[3] / page.shape[0] + 0.02
    elif figure < 0.45:
        _plot(page, rng, (0.14, 0.15, 0.86, 0.4))
        top = 0.44
    _body(page, rng, (0.1, top, 0.93, rng.uniform(0.6, 0.96)), columns=int(rng.integers(1, 3)))


def tables(page: Picture, rng: Rng) -> None:
    """A heading and one or two tables."""
    head = ink.clipped(page, (0.08, 0.05, rng.uniform(0.3, 0.8), 0.05 + rng.uniform(0.02, 0.04)))
    ink.heading(page, rng, head, _tint(rng))
    y = 0.12
    while y < 0.75:
        rows = int(rng.integers(5, 22))
        end = min(0.95, y + rows * rng.uniform(0.024, 0.036))
        where = ink.clipped(page, (0.07, y, 0.93, end))
        ink.table(page, rng, where, rows, int(rng.integers(2, 7)))
        y = end + rng.uniform(0.05, 0.3)


def form(page: Picture, rng: Rng) -> None:
    """Labels with boxes or lines to fill in, tick boxes; partly filled in by hand."""
    h, w = page.shape[:2]
    ink.heading(page, rng, ink.clipped(page, (0.07, 0.04, 0.6, 0.075)), _tint(rng))
    shade = tuple(int(v) for v in rng.integers(185, 245, 3))
    y, boxed = 0.11, rng.random() < 0.6
    while y < 0.92:
        if rng.random() < 0.15:
            x0, y0, x1, y1 = ink.clipped(page, (0.07, y, 0.93, y + 0.025))
            cv2.rectangle(page, (x0, y0), (x1, y1), shade, -1)
            ink.heading(page, rng, (x0 + 3, y0, x0 + (x1 - x0) // 3, y1), (40, 40, 40), kind=1)
            y += 0.04
            continue
        parts = int(rng.integers(1, 4))
        for p in range(parts):
            left = 0.07 + 0.86 * p / parts
            right = left + 0.86 / parts - 0.02
            label = ink.clipped(page, (left, y, left + 0.13, y + 0.016))
            ink.lines(page, rng, label, step=0.016 * h, kind=0, justified=False)
            x0, y0, x1, y1 = ink.clipped(page, (left, y + 0.02, right, y + 0.045))
            if boxed:
                cv2.rectangle(page, (x0, y0), (x1, y1), (120, 120, 120), 1)
            else:
                cv2.line(page, (x0, y1), (x1, y1), (120, 120, 120), 1)
            if rng.random() < 0.35:
                part = (left + 0.01, y + 0.014, left + (right - left) * rng.uniform(0.4, 0.9))
                ink.handwriting(page, rng, (*part, y + 0.055))
        y += 0.06
    for _ in range(int(rng.integers(0, 8))):
        x, top = int(rng.uniform(0.08, 0.9) * w), int(rng.uniform(0.2, 0.9) * h)
        cv2.rectangle(page, (x, top), (x + w // 40, top + w // 40), (60, 60, 60), 1)


def invoice(page: Picture, rng: Rng) -> None:
    """Logo, two addresses, a table of items, the sum in a box."""
    colour = _tint(rng)
    x0, y0, x1, y1 = ink.clipped(page, (0.07, 0.04, 0.07 + rng.uniform(0.1, 0.3), 0.1))
    if rng.random() < 0.4:
        cv2.rectangle(page, (0, 0), (page.shape[1], int(0.11 * page.shape[0])), colour, -1)
        colour = (245, 245, 245)
    ink.heading(page, rng, (x0, y0, x1, (y0 + y1) // 2), colour)
    for left in (0.07, 0.6):
        at = ink.clipped(page, (left, 0.14, left + 0.3, 0.24))
        ink.lines(page, rng, at, step=0.018 * page.shape[0], kind=0, justified=False)
    rows = int(rng.integers(4, 18))
    end = 0.28 + rows * 0.028
    ink.table(page, rng, ink.clipped(page, (0.07, 0.28, 0.93, end)), rows, int(rng.integers(3, 6)))
    sums = ink.clipped(page, (0.62, end + 0.02, 0.93, end + 0.1))
    cv2.rectangle(page, sums[:2], sums[2:], (120, 120, 120), 1)
    inner = (sums[0] + 4, sums[1] + 2, sums[2] - 4, sums[3])
    ink.lines(
        page, rng, inner, step=0.022 * page.shape[0], kind=ink.DIGITS, justified=False, right=True
    )


def _plot(page: Picture, rng: Rng, box: tuple[float, float, float, float]) -> None:
    """Bars, lines or a pie in a box of fractions."""
    x0, y0, x1, y1 = ink.clipped(page, box)
    kind, wide, tall = rng.random(), x1 - x0, y1 - y0
    if kind < 0.2:
        centre, radius, start = ((x0 + x1) // 2, (y0 + y1) // 2), min(wide, tall) // 2, 0.0
        while start < 360:
            end = min(360.0, start + rng.uniform(25, 130))
            axes = (radius, radius)
            cv2.ellipse(page, centre, axes, 0, start, end, bright(rng), -1, cv2.LINE_AA)
            start = end
        return
    for y in np.linspace(y0, y1, 6).astype(int):
        cv2.line(page, (x0, int(y)), (x1, int(y)), (205, 205, 205), 1)
    if kind < 0.6:
        bars = int(rng.integers(4, 14))
        colours = [bright(rng, 0.3) for _ in range(int(rng.integers(1, 4)))]
        for b in range(bars):
            left, top = x0 + wide * b // bars + 2, y1 - int(tall * rng.uniform(0.1, 0.95))
            right = x0 + wide * (b + 1) // bars - 2
            cv2.rectangle(page, (left, top), (right, y1), colours[b % len(colours)], -1)
    else:
        for _ in range(int(rng.integers(1, 4))):
            ys = y1 - ink.smooth_path(rng, 24, 2.0) * tall * rng.uniform(0.4, 0.95)
            points = np.stack([np.linspace(x0, x1, 24), ys], -1).astype(np.int32)
            cv2.polylines(page, [points], False, bright(rng, 0.3), 2, cv2.LINE_AA)
    cv2.line(page, (x0, y0), (x0, y1), (60, 60, 60), 1)
    cv2.line(page, (x0, y1), (x1, y1), (60, 60, 60), 1)


def charts(page: Picture, rng: Rng) -> None:
    """One to three charts with captions, like a printed slide."""
    count = int(rng.integers(1, 4))
    ink.heading(page, rng, ink.clipped(page, (0.08, 0.04, 0.7, 0.08)), _tint(rng))
    for i in range(count):
        top = 0.12 + 0.82 * i / count
        _plot(page, rng, (0.12, top, 0.9, top + 0.82 / count - 0.09))
        text = ink.clipped(page, (0.12, top + 0.82 / count - 0.07, 0.8, top + 0.82 / count - 0.02))
        ink.lines(page, rng, text, step=0.02 * page.shape[0], kind=ink.print_kind(rng))


def newspaper(page: Picture, rng: Rng) -> None:
    """A name across the top, narrow columns, photographs."""
    if rng.random() < 0.6:
        ink.heading(page, rng, ink.clipped(page, (0.05, 0.03, 0.95, 0.11)), (25, 25, 25), kind=3)
    head = ink.clipped(page, (0.05, 0.13, rng.uniform(0.5, 0.95), 0.13 + rng.uniform(0.03, 0.06)))
    ink.heading(page, rng, head, (25, 25, 25), kind=2)
    _body(page, rng, (0.05, 0.2, 0.97, 0.97), columns=int(rng.integers(3, 6)))
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.05, 0.5), rng.uniform(0.2, 0.7)
        box = (x, y, x + rng.uniform(0.2, 0.45), y + rng.uniform(0.1, 0.25))
        ink.photograph(page, rng, ink.clipped(page, box))


def notes(page: Picture, rng: Rng) -> None:
    """Handwriting on blank or ruled paper, with a sketch or underlined words now and then."""
    if rng.random() < 0.55:
        ink.rules(page, rng)
    y = rng.uniform(0.03, 0.1)
    for _ in range(int(rng.integers(1, 4))):
        end = min(0.97, y + rng.uniform(0.1, 0.5))
        left = rng.uniform(0.06, 0.25)
        ink.handwriting(page, rng, (left, y, rng.uniform(left + 0.3, 0.97), end))
        y = end + 0.02
        if y > 0.85:
            break
    if rng.random() < 0.35:
        sketch(page, rng)


def sketch(page: Picture, rng: Rng) -> None:
    """Circles, boxes and arrows drawn with a pen."""
    h, w = page.shape[:2]
    colour = (int(rng.integers(40, 200)), int(rng.integers(20, 80)), int(rng.integers(10, 80)))
    last: tuple[int, int] | None = None
    for _ in range(int(rng.integers(2, 7))):
        at = (int(rng.uniform(0.15, 0.85) * w), int(rng.uniform(0.1, 0.9) * h))
        axes = (int(rng.uniform(0.05, 0.16) * w), int(rng.uniform(0.03, 0.08) * h))
        if rng.random() < 0.6:
            cv2.ellipse(page, at, axes, rng.uniform(-8, 8), 5, 372, colour, 1, cv2.LINE_AA)
        else:
            corner, end = (at[0] - axes[0], at[1] - axes[1]), (at[0] + axes[0], at[1] + axes[1])
            cv2.rectangle(page, corner, end, colour, 1, cv2.LINE_AA)
        if last is not None and rng.random() < 0.7:
            cv2.arrowedLine(page, last, at, colour, 1, cv2.LINE_AA, 0, 0.06)
        last = at


def receipt(page: Picture, rng: Rng) -> None:
    """A till slip: name, goods and prices, bars at the end."""
    h, w = page.shape[:2]
    dark = (60, 55, 55)
    ink.heading(page, rng, ink.clipped(page, (0.2, 0.04, 0.85, 0.09)), dark, kind=1)
    step, end = rng.uniform(0.022, 0.034) * h, rng.uniform(0.55, 0.8)
    names = ink.clipped(page, (0.08, 0.13, 0.6, end))
    ink.lines(page, rng, names, step=step, kind=0, ink=dark, justified=False)
    prices = ink.clipped(page, (0.74, 0.13, 0.93, end))
    ink.lines(page, rng, prices, step=step, kind=ink.DIGITS, ink=dark, justified=False, right=True)
    y = int((end + 0.03) * h)
    for x in range(int(0.15 * w), int(0.85 * w), 3):
        if rng.random() < 0.6:
            cv2.line(page, (x, y), (x, y + int(0.07 * h)), dark, int(rng.integers(1, 3)))


def codes(page: Picture, rng: Rng) -> None:
    """Square codes for machines, many or few or on a checkerboard: labels, targets, tickets."""
    h, w = page.shape[:2]
    side = 0.86 * w / int(rng.integers(2, 7))
    board, share = rng.random() < 0.35, float(rng.choice([1.0, 0.7, 0.25]))
    size = side * rng.uniform(0.35, 0.85)
    for row in range(int(0.9 * h / side)):
        for column in range(int(0.88 * w / side)):
            x, y = 0.07 * w + column * side, 0.05 * h + row * side
            if board and (row + column) % 2:
                cv2.rectangle(page, _pixels(x, y), _pixels(x + side, y + side), _PRINT, -1)
            elif board or rng.random() < share:
                _code(page, rng, _pixels(x + (side - size) / 2, y + (side - size) / 2), round(size))


def _code(page: Picture, rng: Rng, corner: tuple[int, int], size: int) -> None:
    cells = int(rng.integers(4, 12))
    dark = np.pad(rng.integers(0, 2, (cells, cells)) * 255, 1, constant_values=255)
    cover = cv2.resize(dark.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST)
    box = (*corner, corner[0] + size, corner[1] + size)
    ink.stain(page, box, np.asarray(cover, np.uint8), _PRINT)


def _pixels(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


KINDS: Final[dict[Callable[[Picture, Rng], None], float]] = {
    letter: 0.2,
    report: 0.2,
    tables: 0.1,
    form: 0.1,
    invoice: 0.07,
    charts: 0.07,
    newspaper: 0.05,
    notes: 0.14,
    codes: 0.05,
    ink.rules: 0.03,
    lambda _page, _rng: None: 0.04,
}
_DRAWN: Final = tuple(KINDS)
_SHARES: Final = np.array(list(KINDS.values())) / sum(KINDS.values())


def fill(page: Picture, rng: Rng) -> None:
    """Put a random content on a blank page, in place."""
    _DRAWN[int(rng.choice(len(_DRAWN), p=_SHARES))](page, rng)
