"""Phones and tablets: what their screens show, their dark glass, their backs."""

import cv2
import numpy as np

from models.train import ink
from models.train.picture import LONG, Cutout, Picture, Rng, filled, solid
from models.train.things.shapes import (
    bevel,
    box,
    bright,
    case_colour,
    gloss,
    lit,
    neutral,
    pattern,
    rounded,
    wallpaper,
)


def _home(screen: Picture, rng: Rng) -> None:
    """Icons in a grid on a wallpaper."""
    h, w = screen.shape[:2]
    screen[:] = wallpaper(rng, h, w, int(rng.integers(2, 6)))
    cols = 4 if h > w else 7
    cell = w // cols
    for r in range(int(rng.integers(1, max(2, h // cell)))):
        for c in range(cols):
            if rng.random() < 0.85:
                x, y = int((c + 0.2) * cell), int(h * 0.08 + (r + 0.2) * cell)
                at = (x, y, x + int(cell * 0.6), min(h - 2, y + int(cell * 0.6)))
                box(screen, at, cell // 7, bright(rng, 0.4, 1.0))


def _lock(screen: Picture, rng: Rng) -> None:
    """A clock and perhaps notices on a wallpaper."""
    h, w = screen.shape[:2]
    screen[:] = wallpaper(rng, h, w, int(rng.integers(2, 6)))
    clock = ink.clipped(screen, (0.25, 0.14, 0.8, 0.14 + 0.2 * w / h))
    ink.heading(screen, rng, clock, (250, 250, 250), kind=ink.DIGITS)
    for i in range(int(rng.integers(0, 4))):
        x0, y0, x1, y1 = ink.clipped(screen, (0.06, 0.45 + 0.12 * i, 0.94, 0.55 + 0.12 * i))
        box(screen, (x0, y0, x1, y1), 6, neutral(rng, 190, 235))
        ink.lines(screen, rng, (x0 + 6, y0 + 3, x1 - 6, y1), step=9, kind=0, justified=False)


def _feed(screen: Picture, rng: Rng) -> None:
    """Rows of a list, a chat or posts with pictures, light or dark."""
    h, w = screen.shape[:2]
    dark = rng.random() < 0.35
    screen[:] = neutral(rng, 12, 45) if dark else neutral(rng, 235, 255)
    text = (220, 220, 220) if dark else (50, 50, 50)
    screen[: h // 12] = bright(rng, 0.2, 0.95) if rng.random() < 0.5 else screen[0, 0]
    y, kind = int(h * 0.1), rng.random()
    while y < h - 20:
        tall = int(rng.uniform(0.05, 0.12) * h)
        if kind < 0.35:  # chat
            left = int(w * (0.05 if rng.random() < 0.5 else 0.3))
            at = (left, y, left + int(w * rng.uniform(0.35, 0.65)), min(h - 2, y + tall))
            box(screen, at, 7, bright(rng, 0.6, 0.95) if rng.random() < 0.5 else (205, 205, 205))
            inner = ink.clip_to(screen, (at[0] + 5, at[1] + 3, at[2] - 4, at[3]))
            ink.lines(screen, rng, inner, step=9, kind=0, justified=False)
        elif kind < 0.7:  # list
            cv2.circle(screen, (w // 8, y + tall // 2), max(3, tall // 3), bright(rng), -1)
            at = ink.clip_to(screen, (w // 4, y + 2, int(w * 0.92), y + tall))
            ink.lines(screen, rng, at, step=9, kind=0, ink=text, justified=False)
        else:  # posts
            tall = int(rng.uniform(0.2, 0.4) * h)
            at = ink.clip_to(screen, (w // 20, y, w - w // 20, y + int(tall * 0.7)))
            ink.photograph(screen, rng, at)
            below = ink.clip_to(screen, (w // 20, y + int(tall * 0.74), int(w * 0.9), y + tall))
            ink.lines(screen, rng, below, step=9, kind=0, ink=text, justified=False)
        y += tall + max(3, h // 60)
    if rng.random() < 0.25:
        _keys(screen, rng)


def _keys(screen: Picture, rng: Rng) -> None:
    """The keyboard on the screen's lower third."""
    h, w = screen.shape[:2]
    top = int(h * rng.uniform(0.62, 0.72))
    screen[top:] = neutral(rng, 190, 220)
    row, key = (h - top) // 5, w // 10
    for r in range(4):
        for c in range(10):
            x, y = c * key + 1, top + r * row + row // 3
            cv2.rectangle(screen, (x, y), (x + key - 3, y + row - 4), (252, 252, 252), -1)


def _document(screen: Picture, rng: Rng) -> None:
    """A page of text, a video or a map that fills the screen."""
    h, w = screen.shape[:2]
    kind = rng.random()
    if kind < 0.5:
        screen[:] = neutral(rng, 240, 255)
        at = ink.clipped(screen, (0.06, 0.08, 0.94, 0.95))
        ink.lines(screen, rng, at, step=rng.uniform(8, 13), kind=ink.print_kind(rng))
    elif kind < 0.8:
        screen[:] = 10
        ink.photograph(screen, rng, ink.clipped(screen, (0.0, rng.uniform(0, 0.3), 1.0, 0.75)))
    else:
        screen[:] = neutral(rng, 215, 240)
        for _ in range(12):
            ends = rng.uniform(-0.2, 1.2, (2, 2)) * (w, h)
            first, last = ends.astype(int).tolist()
            cv2.line(screen, first, last, (255, 255, 255), int(rng.integers(2, 7)), cv2.LINE_AA)
        cv2.circle(screen, (w // 2, h // 2), 7, (230, 120, 40), -1, cv2.LINE_AA)


def show(screen: Picture, rng: Rng) -> None:
    """Put something on a screen, in place; dimmed by a random amount."""
    draws = (_home, _lock, _feed, _document)
    draws[int(rng.choice(4, p=[0.25, 0.2, 0.38, 0.17]))](screen, rng)
    screen[:] = (screen * rng.uniform(0.55, 1.0)).astype(np.uint8)


def _dark_glass(rng: Rng, h: int, w: int) -> Picture:
    """A screen that is off: almost black, with the room's light in it."""
    glass = filled(h, w, neutral(rng, 8, 40))
    glass = lit(glass, gloss(rng, h, w, rng.uniform(0.2, 0.8)))
    if rng.random() < 0.4:
        edge = rng.uniform(0.1, 0.9, 2) * w
        points = np.array([[0, 0], [edge[0], 0], [edge[1], h], [0, h]], np.int32)
        pane = np.zeros((h, w), np.uint8)
        cv2.fillPoly(pane, [points], int(rng.uniform(20, 110)))
        glass = np.asarray(cv2.add(glass, cv2.merge([pane, pane, pane])), np.uint8)
    return glass


def _front(rng: Rng, h: int, w: int, radius: int, rim: int) -> Cutout:
    """A glass front with a rim of `rim` pixels round the screen."""
    body = _dark_glass(rng, h, w)
    if rng.random() < 0.62:
        if rng.random() < 0.2:  # a white rim shows only round a lit screen
            body[:] = neutral(rng, 225, 250)
        screen = np.ascontiguousarray(body[rim : h - rim, rim : w - rim])
        show(screen, rng)
        corner = rounded(h - 2 * rim, w - 2 * rim, max(0, radius - rim // 2), 0) > 127
        body[rim : h - rim, rim : w - rim][corner] = screen[corner]
        body = lit(body, gloss(rng, h, w, rng.uniform(0.0, 0.2)))
    if max(h, w) > 1.8 * min(h, w) and rng.random() < 0.6:
        if rng.random() < 0.5:
            box(body, (w // 2 - w // 8, rim + 4, w // 2 + w // 8, rim + 12), 4, (8, 8, 8))
        else:
            cv2.circle(body, (w // 2, rim + 8), 4, (8, 8, 8), -1, cv2.LINE_AA)
    edge = case_colour(rng)
    alpha = rounded(h, w, radius)
    outlines, _ = cv2.findContours(alpha, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(body, outlines, -1, edge, int(rng.integers(2, 9)), cv2.LINE_AA)
    return solid(alpha, body)


def _lens(body: Picture, x: int, y: int, r: int) -> None:
    cv2.circle(body, (x, y), r, (70, 70, 70), -1, cv2.LINE_AA)
    cv2.circle(body, (x, y), max(1, r - 2), (18, 16, 16), -1, cv2.LINE_AA)
    cv2.circle(body, (x - r // 3, y - r // 3), max(1, r // 4), (150, 120, 100), -1, cv2.LINE_AA)


def _bump(body: Picture, rng: Rng) -> None:
    """The cameras: a block in a corner, a pill down the side or a disc in the middle."""
    h, w = body.shape[:2]
    tone = np.clip(body[h // 2, w // 2].astype(int) + rng.integers(-45, 30), 0, 255)
    plate = (int(tone[0]), int(tone[1]), int(tone[2])) if rng.random() < 0.6 else (22, 22, 22)
    kind, r = rng.random(), max(4, int(w * rng.uniform(0.07, 0.11)))
    if kind < 0.5:
        x, side = int(w * 0.08), int(w * rng.uniform(0.38, 0.5))
        box(body, (x, x, x + side, x + side), side // 4, plate)
        places = [(0.3, 0.3), (0.3, 0.7), (0.7, 0.5), (0.7, 0.2)][: int(rng.integers(2, 5))]
        for px, py in places:
            _lens(body, x + int(px * side), x + int(py * side), r)
    elif kind < 0.8:
        x, y, tall = int(w * 0.08), int(w * 0.08), int(w * rng.uniform(0.5, 0.9))
        box(body, (x, y, x + int(2.6 * r), y + tall), r, plate)
        for i in range(int(rng.integers(1, 4))):
            _lens(body, x + int(1.3 * r), y + int(1.4 * r) + i * int(2.3 * r), r)
        cv2.circle(body, (x + int(3.4 * r), y + r), max(2, r // 3), (200, 235, 245), -1)
    else:
        at = (w // 2, int(w * 0.42))
        cv2.circle(body, at, int(w * 0.28), plate, -1, cv2.LINE_AA)
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            _lens(body, at[0] + int(dx * 1.2 * r), at[1] + int(dy * 1.2 * r), r)


def _back(rng: Rng, h: int, w: int, radius: int) -> Cutout:
    """Face down: a plain or patterned back or case, cameras, a maker's sign."""
    body = pattern(rng, h, w) if rng.random() < 0.25 else filled(h, w, case_colour(rng))
    body = lit(body, gloss(rng, h, w, rng.uniform(0.03, 0.3)))
    alpha = rounded(h, w, radius)
    body = lit(body, bevel(alpha, rng.uniform(0.1, 0.5), rng.uniform(2, 6)))
    _bump(body, rng)
    sign = np.clip(body[h // 2, w // 2].astype(int) + rng.choice([-40, 45]), 0, 255)
    tone = (int(sign[0]), int(sign[1]), int(sign[2]))
    if rng.random() < 0.35:
        cv2.circle(body, (w // 2, int(h * 0.45)), w // 10, tone, -1, cv2.LINE_AA)
    elif rng.random() < 0.5:
        ink.heading(body, rng, ink.clipped(body, (0.35, 0.82, 0.65, 0.86)), tone, kind=1)
    if rng.random() < 0.1:
        centre = (w // 2, int(h * 0.6))
        cv2.circle(body, centre, w // 4, case_colour(rng), -1, cv2.LINE_AA)
        cv2.circle(body, centre, w // 6, neutral(rng, 30, 200), 2, cv2.LINE_AA)
    return solid(alpha, body)


def phone(rng: Rng) -> Cutout:
    """A phone: often face down, else its screen on or off."""
    h, w = LONG, int(LONG * rng.uniform(0.45, 0.53))
    radius = int(w * rng.uniform(0.08, 0.2))
    if rng.random() < 0.42:
        return _back(rng, h, w, radius)
    return _front(rng, h, w, radius, int(w * rng.uniform(0.03, 0.07)))


def tablet(rng: Rng) -> Cutout:
    """A tablet: face up, on or off; two in five its back with one camera."""
    h, w = LONG, int(LONG * rng.uniform(0.62, 0.78))
    if rng.random() < 0.5:
        h, w = w, h
    short = min(h, w)
    radius = int(short * rng.uniform(0.02, 0.09))
    if rng.random() < 0.6:
        return _front(rng, h, w, radius, int(short * rng.uniform(0.035, 0.09)))
    body = filled(h, w, case_colour(rng))
    alpha = rounded(h, w, radius)
    body = lit(body, gloss(rng, h, w, rng.uniform(0.03, 0.2)) * bevel(alpha, 0.3, 3))
    at = int(short * rng.uniform(0.07, 0.1))
    _lens(body, at, at, max(5, short // 30))
    if rng.random() < 0.7:
        cv2.circle(body, (w // 2, h // 2), short // 14, neutral(rng, 40, 200), -1, cv2.LINE_AA)
    return solid(alpha, body)
