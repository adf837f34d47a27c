"""Small things that a hand picks up: pens, cards, USB sticks."""

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


def pen(rng: Rng) -> Cutout:
    """A pen or pencil lying along x: barrel, grip, tip, cap or clip."""
    w, h = LONG, int(rng.uniform(14, 26))
    body, other = np.array(bright(rng, 0.05, 1.0)), np.array(bright(rng, 0.05, 1.0))
    if rng.random() < 0.35:
        body = np.array(case_colour(rng))
    picture = filled(h, w, body)
    cuts = np.sort(rng.integers(int(0.1 * w), int(0.9 * w), 2))
    if rng.random() < 0.6:
        picture[:, : cuts[0]] = np.clip(other, 0, 255)
    if rng.random() < 0.4:
        picture[:, cuts[1] :] = np.clip(other * 0.6, 0, 255)
    if rng.random() < 0.3:
        picture[:, cuts[0] : cuts[0] + 4] = 200
    across = np.linspace(-1, 1, h, dtype=np.float32)
    sheen = 0.55 + 0.6 * np.exp(-(((across + rng.uniform(0.1, 0.5)) / 0.35) ** 2))
    picture = lit(picture, np.tile(sheen[:, None], (1, w)).astype(np.float32))
    tip = int(rng.uniform(0.05, 0.13) * w)
    half = np.full(w, h / 2 - 1)
    half[:tip] *= np.linspace(0.1, 0.85, tip)
    half[-4:] *= 0.8
    if rng.random() < 0.5:
        half[tip:] *= np.linspace(0.85, 1.0, w - tip)
    y = np.abs(np.arange(h) - (h - 1) / 2)[:, None]
    alpha = np.where(y <= half[None], 255, 0).astype(np.uint8)
    if rng.random() < 0.6:
        picture[:, :tip] = int(rng.integers(40, 220))
    if rng.random() < 0.6:
        clip, start = bright(rng, 0.5, 1.0), int(w * rng.uniform(0.65, 0.75))
        end = (int(w * 0.97), h // 3)
        cv2.line(picture, (start, h // 3), end, clip, max(2, h // 6), cv2.LINE_AA)
    return solid(alpha, picture)


def _ground(rng: Rng, h: int, w: int) -> Picture:
    """A card's colour: plain, a gradient or a print."""
    kind = rng.random()
    if kind < 0.35:
        return filled(h, w, case_colour(rng))
    if kind < 0.8:
        return wallpaper(rng, h, w, 2)
    return pattern(rng, h, w)


def _payment(rng: Rng) -> Cutout:
    h, w = int(LONG * 0.63), LONG
    card = _ground(rng, h, w)
    tone = neutral(rng, 215, 255) if card.mean() < 140 else neutral(rng, 15, 70)
    if rng.random() < 0.75:
        x, y = int(w * 0.09), int(h * 0.36)
        gold = (110, 190, 220) if rng.random() < 0.6 else (200, 205, 210)
        box(card, (x, y, x + 46, y + 36), 7, gold)
        for dx in (15, 31):
            cv2.line(card, (x + dx, y + 2), (x + dx, y + 34), (70, 110, 130), 1)
        cv2.line(card, (x + 2, y + 18), (x + 44, y + 18), (70, 110, 130), 1)
    if rng.random() < 0.7:
        ink.heading(card, rng, (int(w * 0.07), 12, int(w * 0.45), 36), tone, kind=1)
    if rng.random() < 0.7:
        y = int(h * 0.62)
        for group in range(4):
            left = int(w * 0.08) + group * int(w * 0.2)
            digits = f"{rng.integers(1000, 9999)}"
            cv2.putText(card, digits, (left, y + 14), ink.FONTS[1], 0.62, tone, 1, cv2.LINE_AA)
    if rng.random() < 0.7:
        name = (int(w * 0.08), int(h * 0.82), int(w * 0.5), int(h * 0.82) + 14)
        ink.heading(card, rng, name, tone, kind=0)
    if rng.random() < 0.7:
        x, y, r = int(w * 0.82), int(h * 0.8), 20
        cv2.circle(card, (x, y), r, bright(rng, 0.7, 1.0), -1, cv2.LINE_AA)
        cv2.circle(card, (x + int(1.2 * r), y), r, bright(rng, 0.7, 1.0), -1, cv2.LINE_AA)
    return _cut(rng, card)


def _reverse(rng: Rng) -> Cutout:
    """The back of a payment card: magnetic stripe, signature strip, small print."""
    h, w = int(LONG * 0.63), LONG
    card = _ground(rng, h, w)
    card[int(h * 0.1) : int(h * 0.3)] = neutral(rng, 10, 45)
    strip = (int(w * 0.06), int(h * 0.4), int(w * 0.7), int(h * 0.53))
    cv2.rectangle(card, strip[:2], strip[2:], (235, 240, 240), -1)
    ink.handwriting(card, rng, (0.08, 0.38, 0.5, 0.56))
    small = ink.clipped(card, (0.06, 0.62, 0.9, 0.92))
    tone = (235, 235, 235) if card[-20:].mean() < 130 else (50, 50, 50)
    ink.lines(card, rng, small, step=11, kind=0, ink=tone, justified=False)
    return _cut(rng, card)


def _cut(rng: Rng, card: Picture) -> Cutout:
    h, w = card.shape[:2]
    card = lit(card, gloss(rng, h, w, rng.uniform(0.0, 0.25)))
    if rng.random() < 0.3:
        card = np.ascontiguousarray(card[::-1, ::-1])
    return solid(rounded(h, w, int(0.05 * LONG)), card)


def _head(card: Picture, rng: Rng, at: tuple[int, int, int, int]) -> None:
    """A passport photograph: head and shoulders on a pale ground."""
    x0, y0, x1, y1 = at
    cv2.rectangle(card, (x0, y0), (x1, y1), neutral(rng, 170, 235), -1)
    photo = card[y0:y1, x0:x1]
    h, w = photo.shape[:2]
    lightness = rng.uniform(0.3, 1.0)
    skin = (int(150 * lightness), int(180 * lightness), int(225 * lightness))
    cv2.ellipse(photo, (w // 2, h), (int(w * 0.45), int(h * 0.36)), 0, 0, 360, bright(rng), -1)
    hair = neutral(rng, 10, 90)
    cv2.ellipse(photo, (w // 2, int(h * 0.36)), (int(w * 0.25), int(h * 0.27)), 0, 0, 360, hair, -1)
    cv2.ellipse(photo, (w // 2, int(h * 0.43)), (int(w * 0.2), int(h * 0.24)), 0, 0, 360, skin, -1)


def _badge(rng: Rng) -> Cutout:
    """An ID card or badge, upright or lying: portrait, name, lines, often a hole for a band."""
    upright = rng.random() < 0.5
    h, w = (LONG, int(LONG * 0.65)) if upright else (int(LONG * 0.63), LONG)
    card = filled(h, w, neutral(rng, 225, 255))
    if rng.random() < 0.35:
        card = np.asarray(cv2.addWeighted(card, 0.6, wallpaper(rng, h, w), 0.4, 0), np.uint8)
    band, tone = bright(rng, 0.2, 0.9), (50, 45, 45)
    card[: int(h * rng.uniform(0.1, 0.2))] = band
    title = ink.clipped(card, (0.2, 0.05, 0.8, 0.11))
    ink.heading(card, rng, title, (250, 250, 250), kind=1)
    if upright:
        _head(card, rng, (int(w * 0.3), int(h * 0.24), int(w * 0.7), int(h * 0.56)))
        name, text = (0.15, 0.6, 0.85, 0.66), (0.2, 0.69, 0.8, 0.86)
    else:
        _head(card, rng, (int(w * 0.06), int(h * 0.28), int(w * 0.34), int(h * 0.86)))
        name, text = (0.4, 0.28, 0.9, 0.37), (0.4, 0.44, 0.94, 0.9)
    ink.heading(card, rng, ink.clipped(card, name), tone, kind=1)
    ink.lines(card, rng, ink.clipped(card, text), step=17, kind=0, ink=tone, justified=False)
    if rng.random() < 0.4:
        card[int(h * 0.9) :] = band
    out = _cut(rng, card)
    if upright and rng.random() < 0.6:
        hole = np.ascontiguousarray(out[..., 3])
        box(hole, (w // 2 - 22, 7, w // 2 + 22, 15), 4, 0)
        out[..., 3] = hole
    return out


def card(rng: Rng) -> Cutout:
    """A payment card's front or back, or an ID card."""
    kind = rng.random()
    if kind < 0.55:
        return _payment(rng)
    return _reverse(rng) if kind < 0.68 else _badge(rng)


def usb_stick(rng: Rng) -> Cutout:
    """A USB stick along x: metal plug, housing, a ring hole or a swivel cover now and then."""
    w, h = LONG, int(rng.uniform(80, 125))
    plug = int(w * rng.uniform(0.2, 0.3))
    colour = case_colour(rng) if rng.random() < 0.55 else bright(rng, 0.3, 1.0)
    picture = filled(h, w, colour)
    alpha = np.zeros((h, w), np.uint8)
    body = (plug, 1, w - 2, h - 2)
    box(alpha, body, int(h * rng.uniform(0.08, 0.48)), 255)
    light = bevel(alpha, rng.uniform(0.2, 0.6), 6) * gloss(rng, h, w, rng.uniform(0.05, 0.3))
    if rng.random() < 0.5:
        tone = neutral(rng, 220, 255) if np.mean(colour) < 140 else neutral(rng, 20, 80)
        x, y = plug + (w - plug) // 4, h // 2
        cv2.putText(picture, "32GB", (x, y + 10), ink.FONTS[1], 0.9, tone, 2, cv2.LINE_AA)
    if rng.random() < 0.25:  # a metal cover that swivels about a rivet
        box(picture, (plug, 5, int(w * 0.75), h - 6), 4, neutral(rng, 170, 220))
        cv2.circle(picture, (w - h // 2, h // 2), h // 6, neutral(rng, 90, 140), -1, cv2.LINE_AA)
    if rng.random() < 0.78:
        edge = int(h * rng.uniform(0.12, 0.24))
        cv2.rectangle(alpha, (1, edge), (plug + 4, h - 1 - edge), 255, -1)
        cv2.rectangle(picture, (1, edge), (plug, h - 1 - edge), neutral(rng, 165, 225), -1)
        metal = np.linspace(1.15, 0.8, h, dtype=np.float32)[:, None]
        light[:, :plug] = metal
        for y in (edge + (h - 2 * edge) // 4, h - edge - (h - 2 * edge) // 4):
            cv2.rectangle(picture, (plug // 2 - 9, y - 6), (plug // 2 + 9, y + 6), (30, 30, 30), -1)
    else:  # its cap is on
        picture[:, : plug + (w - plug) // 4] = case_colour(rng)
        box(alpha, (w // 12, 2, plug + 20, h - 3), h // 6, 255)
    if rng.random() < 0.5:
        cv2.circle(alpha, (w - 16, h // 2), 7, 0, -1, cv2.LINE_AA)
    return solid(alpha, lit(picture, np.asarray(light, np.float32)))
