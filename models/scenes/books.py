"""Books and notebooks of many makes: bound, soft, spiral, magazines, open, standing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.scenes import covers, documents, paperware
from models.scenes.geometry import Array, Mesh, joined, sheet, slab, tube
from models.scenes.textures import gradient
from models.scenes.thing import BRIGHTS, DARKS, LIGHTS, Color, Part, Picture, Surface, Thing, pick

Rng = np.random.Generator
PAGES = Surface((0.93, 0.91, 0.85), 0.9)


def _edge_color(front: Picture) -> Color:
    red, green, blue = (float(c) / 255 for c in front[6, 6])
    return (red, green, blue)


def _size(rng: Rng) -> tuple[float, float]:
    width = float(rng.choice([0.21, 0.19, 0.17, 0.148, 0.13, 0.11]))
    return width, width * float(rng.uniform(1.3, 1.5))


def bound(rng: Rng, *, height: float | None = None) -> Thing:
    """Return a closed book with boards, pages set back, and a title on its spine."""
    width, length = _size(rng)
    height = height or float(rng.choice([0.012, 0.02, 0.03, 0.045])) * float(rng.uniform(0.8, 1.2))
    front = covers.book_cover(rng)
    look = Surface(_edge_color(front), float(rng.uniform(0.25, 0.8)))
    board = 0.0025
    boards = [slab(width, length, board, 0.003, 0.0005).moved(z=z) for z in (0, height - board)]
    pages = slab(width - 0.006, length - 0.01, height - 2 * board, 0.001, 0.0002)
    back = slab(0.004, length, height, 0.0015, 0.0005).moved(x=-width / 2)
    title = slab(height * 0.96, length, 0.0004, 0.0005, 0.0001).turned("y", -90)
    parts = [
        Part(pages.moved(x=-0.001, z=board), PAGES),
        Part(boards[0], look),
        Part(boards[1], replace(look, picture=front)),
        Part(back, look),
        Part(
            title.moved(x=-width / 2 - 0.002, z=height / 2),
            replace(look, picture=covers.spine(rng, front)),
        ),
    ]
    return Thing("book", "notebook", tuple(parts), (width + 0.004, length), height)


def soft(rng: Rng) -> Thing:
    """Return a paperback or exercise book whose cover lifts a little."""
    width, length = _size(rng)
    height = float(rng.uniform(0.003, 0.022))
    front = covers.book_cover(rng)
    lift = float(rng.choice([0.0005, 0.004, 0.014]))

    def rise(u: Array, v: Array) -> Array:
        return np.asarray(lift * u**3 * (0.6 + 0.4 * v))

    block = slab(width, length, height, 0.001, 0.0003)
    cover = sheet(width, length, rise, 12, 6).moved(z=height + 0.0004)
    parts = (
        Part(block, PAGES),
        Part(cover, Surface(roughness=float(rng.uniform(0.15, 0.7)), picture=front)),
    )
    return Thing("soft book", "notebook", parts, (width, length), 0.0 if lift > 0.001 else height)


def magazine(rng: Rng) -> Thing:
    """Return a glossy magazine or brochure, nearly flat."""
    width, length = 0.21, float(rng.uniform(0.27, 0.297))
    height = float(rng.uniform(0.002, 0.006))
    wave = float(rng.uniform(0.0, 0.006))

    def rise(u: Array, v: Array) -> Array:
        return np.asarray(wave * (np.sin(u * 3) ** 2 * 0.5 + u**4) + 0 * v)

    cover = sheet(width, length, rise, 12, 4).moved(z=height + 0.0004)
    gloss = Surface(roughness=float(rng.uniform(0.1, 0.35)), picture=covers.magazine_cover(rng))
    parts = (Part(slab(width, length, height, 0.0008, 0.0002), PAGES), Part(cover, gloss))
    return Thing("magazine", "notebook", parts, (width, length), height if wave < 0.002 else 0.0)


def _rings(span: float, height: float) -> Mesh:
    """Return wire rings along x from -span/2 to span/2, about the line y = 0, z = height/2."""
    r = height / 2 + 0.003
    angles = np.linspace(0, 2 * np.pi, 13)
    loops = []
    for x in np.arange(-span / 2 + 0.008, span / 2 - 0.006, 0.0085):
        path = np.column_stack(
            [np.full(13, x), r * np.cos(angles), height / 2 + r * np.sin(angles)]
        )
        loops.append(tube(path, 0.0007, 5))
    return joined(loops)


def pad(rng: Rng) -> Thing:
    """Return a spiral pad bound at its head or side, its cover turned back or not."""
    width, length = _size(rng)
    height = float(rng.uniform(0.004, 0.014))
    shown = rng.random() < 0.55
    picture = documents.notes(rng) if shown else covers.book_cover(rng)
    if shown and rng.random() < 0.3:
        picture = documents.blank(rng)
    block = slab(width, length, height, 0.003, 0.0003)
    top = sheet(width - 0.002, length - 0.002, lambda u, v: 0.0008 * u * v, 4, 4)
    wire = Surface(pick(rng, DARKS, LIGHTS), 0.3, 0.9)
    if rng.random() < 0.5:
        rings = _rings(width, height).moved(y=length / 2 - 0.004)
    else:
        rings = _rings(length, height).turned("z", 90).moved(x=-width / 2 + 0.004)
    parts = (
        Part(block, PAGES if shown else Surface(_edge_color(picture), 0.6)),
        Part(top.moved(z=height + 0.0003), Surface(roughness=0.8, picture=picture)),
        Part(rings, wire),
    )
    return Thing("spiral pad", "notebook", parts, (width, length), height)


def _page_picture(rng: Rng, kind: str) -> Picture:
    if kind == "notes":
        return documents.notes(rng) if rng.random() < 0.7 else documents.blank(rng)
    page = documents.printed(rng)
    if kind == "glossy" and rng.random() < 0.6:
        height, width = page.shape[:2]
        tall = int(height * rng.uniform(0.3, 0.9))
        page[:tall] = gradient(rng, width, tall)
    return page


def opened(rng: Rng) -> Thing:
    """Return an open book, notebook or magazine: two bulging leaves beside a spine."""
    width, length = _size(rng)
    kind = str(rng.choice(["notes", "printed", "glossy"], p=[0.45, 0.35, 0.2]))
    height = float(rng.uniform(0.003, 0.022))
    lean = float(rng.uniform(0.25, 0.75))

    def bulge(share: float) -> Mesh:
        def rise(u: Array, v: Array) -> Array:
            arch = np.sin(np.clip(u, 0, 1) ** 0.5 * np.pi) * 0.35
            return np.asarray(height * (arch + 1.6 * share * (1 - u * 0.35)) + 0 * v)

        return sheet(1, 1, rise, 18, 2).moved(x=0.5)

    board = slab(2 * width + 0.006, length + 0.006, 0.0015, 0.004, 0.0004)
    parts = [Part(board, Surface(pick(rng, BRIGHTS, DARKS, LIGHTS), 0.6))]
    for side, share in ((1.0, lean), (-1.0, 1 - lean)):
        leaf = bulge(share).scaled(width, length, 1).moved(z=0.0022)
        block = slab(width - 0.004, length - 0.002, max(0.0012, height * share), 0.001, 0.0002)
        if side < 0:
            flipped = leaf.scaled(-1, 1, 1)
            uv = np.column_stack([1 - flipped.uv[:, 0], flipped.uv[:, 1]])
            leaf = Mesh(flipped.vertices, tuple(face[::-1] for face in flipped.faces), uv)
        gloss = 0.3 if kind == "glossy" else 0.9
        parts += [
            Part(leaf, Surface(roughness=gloss, picture=_page_picture(rng, kind))),
            Part(block.moved(x=side * (width / 2 + 0.002), z=0.0015), PAGES),
        ]
    if kind == "notes" and rng.random() < 0.4:
        rings = _rings(length, height).turned("z", 90)
        parts.append(Part(rings, Surface((0.6, 0.6, 0.62), 0.3, 1)))
    size = (2 * width + 0.008, length + 0.006)
    return Thing("open book", "notebook", tuple(parts), size)


def standing(rng: Rng, *, lean: float = 0.0) -> Thing:
    """Return a closed book on its tail, spine toward -y, leaning by degrees to one side."""
    book = bound(rng, height=float(rng.uniform(0.012, 0.05)))
    width, length = book.footprint
    thick = book.support
    parts = []
    for part in book.parts:
        mesh = part.mesh.turned("x", 90).turned("z", 90).moved(x=thick / 2, z=length / 2)
        parts.append(Part(mesh.turned("y", lean), part.surface, part.smooth))
    sunk = min(float(part.mesh.vertices[:, 2].min()) for part in parts)
    raised = tuple(Part(p.mesh.moved(z=-sunk), p.surface, p.smooth) for p in parts)
    return Thing("standing book", "notebook", raised, (thick + 0.002, width))


def lying(rng: Rng) -> Thing:
    """Return a closed book or notebook that others may lie on."""
    return bound(rng) if rng.random() < 0.6 else paperware.closed(rng)


def notebook(rng: Rng) -> Thing:
    """Return any notebook, book or magazine, closed or open."""
    kinds = (bound, bound, paperware.closed, soft, soft, magazine, pad, pad, opened, opened, opened)
    return kinds[int(rng.integers(len(kinds)))](rng)
