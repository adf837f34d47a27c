"""Pictures drawn for surfaces: written pages, screens, covers, labels and cloth."""

from __future__ import annotations

import string

import cv2
import numpy as np

from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Color, Picture, pick

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
Rng = np.random.Generator


def rgb(color: Color) -> tuple[int, int, int]:
    """Return a colour of 0..1 as 0..255."""
    return (int(color[0] * 255), int(color[1] * 255), int(color[2] * 255))


def canvas(width: int, height: int, color: Color) -> Picture:
    """Return a picture of one colour."""
    return np.full((height, width, 3), rgb(color), dtype=np.uint8)


def made_up_word(rng: Rng) -> str:
    """Return two to nine random letters."""
    letters = rng.choice(list(string.ascii_lowercase), int(rng.integers(2, 10)))
    return "".join(letters)


def write(
    page: Picture, rng: Rng, box: tuple[int, int, int, int], size: float, ink: tuple[int, int, int]
) -> None:
    """Fill a box (x1, y1, x2, y2) with ragged lines of made-up words."""
    x1, y1, x2, y2 = box
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    step = int(34 * size) + 2
    y = y1 + step
    while y < y2:
        end = x1 + int((x2 - x1) * rng.choice([1, 1, 1, 0.97, 0.6]))
        x = x1
        while x < end - 12:
            word = made_up_word(rng)
            (width, _), _ = cv2.getTextSize(word, font, size, 1)
            if x + width > x2:
                break
            cv2.putText(page, word, (x, y), font, size, ink, 1, cv2.LINE_AA)
            x += width + int(14 * size)
        y += step if rng.random() > 0.1 else int(step * 1.9)


def scribble(
    page: Picture, rng: Rng, box: tuple[int, int, int, int], ink: tuple[int, int, int]
) -> None:
    """Fill a box with lines of joined strokes like handwriting."""
    x1, y1, x2, y2 = box
    step = int(rng.integers(20, 34))
    tall = step * 0.3
    for y in range(y1 + step, y2, step):
        x = float(x1)
        end = x1 + (x2 - x1) * rng.uniform(0.45, 1)
        while x < end:
            n = int(rng.integers(8, 34))
            xs = x + np.cumsum(rng.uniform(0.6, 3.2, n))
            ys = y - np.abs(np.sin(np.arange(n) * 1.3)) * tall * rng.uniform(0.4, 1.4, n)
            points = np.column_stack([xs, ys]).astype(np.int32)
            cv2.polylines(page, [points], False, ink, 1 + int(rng.random() < 0.4), cv2.LINE_AA)
            x = float(xs[-1]) + 9


def table(
    page: Picture, rng: Rng, box: tuple[int, int, int, int], ink: tuple[int, int, int]
) -> None:
    """Draw a table with bars for words into a box."""
    x1, y1, x2, y2 = box
    rows, columns = int(rng.integers(4, 14)), int(rng.integers(2, 7))
    if rng.random() < 0.6:
        shade = rgb(pick(rng, BRIGHTS, LIGHTS, DARKS))
        cv2.rectangle(page, (x1, y1), (x2, y1 + (y2 - y1) // rows), shade, -1)
    for y in np.linspace(y1, y2, rows + 1).astype(int):
        cv2.line(page, (x1, int(y)), (x2, int(y)), ink, 1)
        for x in np.linspace(x1, x2, columns + 1).astype(int)[:-1]:
            if y < y2 - 8:
                length = int(rng.integers(10, max(11, (x2 - x1) // columns - 8)))
                cv2.line(page, (int(x) + 6, int(y) + 10), (int(x) + length, int(y) + 10), ink, 3)
    for x in np.linspace(x1, x2, columns + 1).astype(int):
        cv2.line(page, (int(x), y1), (int(x), y2), ink, 1)


def chart(page: Picture, rng: Rng, box: tuple[int, int, int, int]) -> None:
    """Draw a bar chart into a box."""
    x1, y1, x2, y2 = box
    n = int(rng.integers(4, 12))
    for i in range(n):
        left = x1 + i * (x2 - x1) // n
        top = int(y2 - rng.uniform(0.1, 1) * (y2 - y1))
        right = left + (x2 - x1) // n - 4
        cv2.rectangle(page, (left, top), (right, y2), rgb(pick(rng, BRIGHTS)), -1)
    cv2.line(page, (x1, y2), (x2, y2), (40, 40, 40), 2)


def page(rng: Rng, width: int = 496, height: int = 702) -> Picture:
    """Return a sheet's front: a letter, a form, a report, notes by hand, or nothing."""
    tint = rng.choice([0.97, 0.97, 0.95, 0.93])
    paper: Color = (tint, tint, tint * rng.choice([1, 1, 0.985, 0.95]))
    if rng.random() < 0.06:
        paper = pick(rng, ((0.98, 0.92, 0.6), (0.8, 0.9, 0.97), (0.97, 0.8, 0.84)))
    sheet = canvas(width, height, paper)
    margin = int(width * rng.uniform(0.06, 0.13))
    right, bottom = width - margin, height - margin
    ink = rgb(pick(rng, DARKS))
    kind = rng.choice(
        ["letter", "report", "form", "notes", "print", "blank"],
        p=[0.28, 0.2, 0.16, 0.16, 0.12, 0.08],
    )
    small = float(rng.uniform(0.28, 0.46))
    if kind == "blank":
        return sheet
    if kind == "notes":
        blue = rgb(pick(rng, ((0.1, 0.15, 0.5), (0.05, 0.05, 0.08), (0.5, 0.1, 0.1))))
        scribble(sheet, rng, (margin, margin, right, int(bottom * rng.uniform(0.4, 1))), blue)
        return sheet
    if rng.random() < 0.7:
        brand = rgb(pick(rng, BRIGHTS, DARKS))
        cv2.rectangle(sheet, (margin, margin), (margin + 60, margin + 40), brand, -1)
        write(sheet, rng, (right - 150, margin - 8, right, margin + 50), small * 0.8, ink)
    cv2.putText(
        sheet,
        made_up_word(rng).upper(),
        (margin, margin + 95),
        _FONTS[1],
        float(rng.uniform(0.7, 1.3)),
        ink,
        2,
        cv2.LINE_AA,
    )
    top = margin + 115
    middle = int(top + (bottom - top) * rng.uniform(0.35, 0.65))
    if kind == "letter":
        write(sheet, rng, (margin, top, right, int(bottom * rng.uniform(0.6, 0.95))), small, ink)
        if rng.random() < 0.5:
            scribble(sheet, rng, (margin, bottom - 50, margin + 140, bottom), (30, 40, 120))
    elif kind == "form":
        table(sheet, rng, (margin, top, right, middle), ink)
        write(sheet, rng, (margin, middle + 10, right, bottom), small, ink)
    elif kind == "report":
        write(sheet, rng, (margin, top, right, middle), small, ink)
        chart(sheet, rng, (margin, middle + 20, right, bottom))
    else:
        half = (margin + right) // 2
        write(sheet, rng, (margin, top, half - 8, bottom), small * 0.9, ink)
        write(sheet, rng, (half + 8, top, right, bottom), small * 0.9, ink)
    return sheet


def ruled(rng: Rng, width: int = 420, height: int = 594) -> Picture:
    """Return a notebook's page: lined, squared, dotted or plain, often written on."""
    sheet = canvas(width, height, (0.96, 0.955, 0.91 + 0.05 * float(rng.random())))
    line = rgb(pick(rng, ((0.65, 0.75, 0.88), (0.75, 0.75, 0.75), (0.6, 0.8, 0.75))))
    kind = rng.choice(["lines", "squares", "dots", "plain"])
    step = int(rng.integers(14, 24))
    if kind in {"lines", "squares"}:
        for y in range(40, height - 10, step):
            cv2.line(sheet, (0, y), (width, y), line, 1)
    if kind == "squares":
        for x in range(0, width, step):
            cv2.line(sheet, (x, 0), (x, height), line, 1)
    if kind == "dots":
        sheet[40::step, ::step] = line
    if kind == "lines" and rng.random() < 0.5:
        cv2.line(sheet, (46, 0), (46, height), (215, 120, 120), 1)
    if rng.random() < 0.7:
        ink = rgb(pick(rng, ((0.1, 0.15, 0.5), (0.1, 0.1, 0.1))))
        bottom = int(height * rng.uniform(0.3, 0.95))
        scribble(sheet, rng, (54, 30, width - 24, bottom), ink)
    return sheet


def gradient(rng: Rng, width: int, height: int) -> Picture:
    """Return one colour that runs into another from top to bottom."""
    first, second = np.array(pick(rng, BRIGHTS, DARKS)), np.array(pick(rng, BRIGHTS, LIGHTS, DARKS))
    t = np.linspace(0, 1, height)[:, None, None] * np.ones((1, width, 1))
    return ((first * (1 - t) + second * t) * 255).astype(np.uint8)


def _icons(screen: Picture, rng: Rng) -> None:
    height, width = screen.shape[:2]
    for y in range(60, height - 60, 62):
        for x in range(14, width - 40, 50):
            if rng.random() < 0.85:
                color = rgb(pick(rng, BRIGHTS, LIGHTS))
                cv2.rectangle(screen, (x, y), (x + 36, y + 36), color, -1)


def _chat(screen: Picture, rng: Rng, ink: tuple[int, int, int]) -> None:
    theirs = (60, 60, 66) if ink[0] > 128 else (215, 215, 220)
    y = 60
    while y < screen.shape[0] - 80:
        tall = int(rng.integers(24, 70))
        x = int(rng.choice([10, 70]))
        color = (70, 160, 90) if x > 10 else theirs
        cv2.rectangle(screen, (x, y), (x + 134, y + tall), color, -1)
        write(screen, rng, (x + 6, y, x + 128, y + tall - 4), 0.32, ink)
        y += tall + 12


def phone_screen(rng: Rng, width: int = 216, height: int = 456) -> Picture:
    """Return a phone's screen: home icons, chat, list, feed or lock screen."""
    dark = rng.random() < 0.4
    back: Color = (0.06, 0.06, 0.08) if dark else (0.96, 0.96, 0.97)
    ink = (225, 225, 225) if dark else (40, 40, 45)
    screen = canvas(width, height, back)
    kind = rng.choice(["home", "chat", "list", "feed", "lock"])
    if kind in {"home", "lock"}:
        screen = gradient(rng, width, height)
    if kind == "home":
        _icons(screen, rng)
    elif kind == "lock":
        cv2.putText(
            screen,
            f"{rng.integers(24):02d}:{rng.integers(60):02d}",
            (30, 130),
            _FONTS[1],
            1.7,
            (245, 245, 245),
            3,
            cv2.LINE_AA,
        )
    elif kind == "chat":
        _chat(screen, rng, ink)
    elif kind == "list":
        for y in range(56, height - 60, 52):
            cv2.circle(screen, (28, y + 20), 15, rgb(pick(rng, BRIGHTS)), -1)
            write(screen, rng, (54, y - 4, width - 12, y + 38), 0.34, ink)
    else:
        tall = int(rng.integers(90, 150))
        for y in range(56, height - tall, tall + 8):
            screen[y : y + tall - 24, 8 : width - 8] = gradient(rng, width - 16, tall - 24)
            write(screen, rng, (10, y + tall - 26, width - 10, y + tall), 0.3, ink)
    cv2.putText(screen, "12:40", (12, 18), _FONTS[0], 0.36, ink, 1, cv2.LINE_AA)
    cv2.circle(screen, (width // 2, 14), 6, (5, 5, 5), -1)
    return screen


def desktop(rng: Rng, width: int = 640, height: int = 400) -> Picture:
    """Return a computer's screen: windows with code, text, a table or a picture."""
    screen = gradient(rng, width, height)
    for _ in range(int(rng.integers(1, 4))):
        x1, y1 = int(rng.integers(0, width // 3)), int(rng.integers(0, height // 4))
        x2, y2 = int(rng.integers(width // 2, width)), int(rng.integers(height // 2, height - 20))
        dark = rng.random() < 0.5
        fill, ink = ((32, 34, 40), (190, 200, 190)) if dark else ((248, 248, 248), (50, 50, 55))
        cv2.rectangle(screen, (x1, y1), (x2, y2), fill, -1)
        cv2.rectangle(screen, (x1, y1), (x2, y1 + 18), (90, 95, 105), -1)
        inside = (x1 + 12, y1 + 26, x2 - 12, y2 - 10)
        kind = rng.choice(["text", "table", "chart"])
        if kind == "text":
            write(screen, rng, inside, 0.36, ink)
        elif kind == "table":
            table(screen, rng, inside, ink)
        else:
            chart(screen, rng, inside)
    screen[height - 16 :] = (40, 42, 50)
    return screen


def cover(rng: Rng, width: int = 300, height: int = 424) -> Picture:
    """Return the cover of a notebook or a book."""
    front = canvas(width, height, pick(rng, BRIGHTS, BRIGHTS, DARKS, LIGHTS))
    kind = rng.choice(["plain", "title", "band", "stripes", "art"])
    ink = rgb(pick(rng, LIGHTS, DARKS))
    if kind == "stripes":
        for x in range(0, width, int(rng.integers(20, 70))):
            cv2.rectangle(front, (x, 0), (x + 10, height), rgb(pick(rng, BRIGHTS, LIGHTS)), -1)
    elif kind == "art":
        for _ in range(int(rng.integers(4, 16))):
            centre = (int(rng.integers(width)), int(rng.integers(height)))
            color = rgb(pick(rng, BRIGHTS, LIGHTS))
            cv2.circle(front, centre, int(rng.integers(10, 80)), color, -1, cv2.LINE_AA)
    if kind == "band":
        y = int(height * rng.uniform(0.15, 0.6))
        cv2.rectangle(front, (0, y), (width, y + 70), rgb(pick(rng, LIGHTS, DARKS)), -1)
    if kind in {"title", "art"} or (kind == "band" and rng.random() < 0.6):
        size = float(rng.uniform(0.8, 1.6))
        y = int(height * rng.uniform(0.2, 0.5))
        cv2.putText(front, made_up_word(rng).title(), (30, y), _FONTS[1], size, ink, 2, cv2.LINE_AA)
        write(front, rng, (30, y + 12, width - 30, y + 70), 0.5, ink)
    elif kind == "plain" and rng.random() < 0.4:
        x1, y1 = width // 4, height // 4
        cv2.rectangle(front, (x1, y1), (x1 * 3, y1 + 80), (240, 240, 232), -1)
        scribble(front, rng, (x1 + 10, y1 + 10, x1 * 3 - 10, y1 + 76), (40, 40, 60))
    return front


def wrapper(rng: Rng, width: int = 512, height: int = 128) -> Picture:
    """Return a printed band: a bottle's label, a cup's print, a chocolate bar's wrapper."""
    band = canvas(width, height, pick(rng, BRIGHTS, LIGHTS, DARKS))
    color = rgb(pick(rng, BRIGHTS, LIGHTS))
    cv2.rectangle(band, (0, int(height * 0.8)), (width, height), color, -1)
    ink = rgb(pick(rng, LIGHTS, DARKS))
    for x in (20, width // 2 + 20):
        cv2.putText(
            band,
            made_up_word(rng).upper()[:7],
            (x, height // 2 + 14),
            _FONTS[1],
            float(rng.uniform(0.9, 1.6)),
            ink,
            3,
            cv2.LINE_AA,
        )
    return band


def cloth(rng: Rng, size: int = 256) -> Picture:
    """Return a woven pattern that repeats seamlessly: checks, stripes, dots or plain weave."""
    first, second = pick(rng, BRIGHTS, LIGHTS, DARKS), pick(rng, LIGHTS, DARKS, BRIGHTS)
    weave = canvas(size, size, first).astype(np.float64)
    other = np.array(rgb(second), dtype=np.float64)
    period = int(rng.choice([16, 32, 64]))
    across = (np.arange(size) // (period // 2)) % 2
    kind = rng.choice(["checks", "stripes", "dots", "plain"])
    if kind == "checks":
        share = (across[:, None] + across[None, :]) / 2
    elif kind == "stripes":
        share = np.broadcast_to(across[None, :], (size, size)).astype(np.float64)
    elif kind == "dots":
        offset = np.arange(size) % period - period / 2
        share = (np.hypot(offset[:, None], offset[None, :]) < period / 5).astype(np.float64)
    else:
        share = np.zeros((size, size))
    weave = weave * (1 - share[..., None]) + other * share[..., None]
    weave *= 1 + 0.08 * rng.standard_normal((size, size, 1))
    return np.clip(weave, 0, 255).astype(np.uint8)
