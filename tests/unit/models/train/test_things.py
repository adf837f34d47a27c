"""Drawn cut-outs are whole, differ, and are what their class needs."""

from collections.abc import Callable

import numpy as np
import pytest

from models.train import ink, things
from models.train.picture import Cutout, Rng, filled
from models.train.things import pages
from models.train.wanted import DRAWS, LENGTHS

ALL: dict[str, Callable[[Rng], Cutout]] = DRAWS | {
    name: draw for name, (draw, _, _) in things.LOOKALIKES.items()
}


@pytest.mark.parametrize("name", sorted(ALL))
def test_cut_outs_are_opaque_within_and_never_the_same(name: str) -> None:
    cuts = [ALL[name](np.random.default_rng(seed)) for seed in range(12)]
    for cut in cuts:
        assert cut.dtype == np.uint8
        assert cut.shape[2] == 4
        opaque = (cut[..., 3] == 255).mean()
        assert opaque > (0.15 if name == "headphones" else 0.45)
    assert len({cut.tobytes() for cut in cuts}) == len(cuts)


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_same_seed_draws_the_same_thing(name: str) -> None:
    first, second = (ALL[name](np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first, second)


def test_headphones_leave_the_desk_to_be_seen_between_the_cups() -> None:
    for seed in range(6):
        alpha = things.headphones(np.random.default_rng(seed))[..., 3]
        h, w = alpha.shape
        assert alpha[int(h * 0.6), w // 2] == 0
        assert alpha[:, w // 2].max() == 255


def test_every_lookalike_has_a_length_and_no_class_of_ours() -> None:
    assert set(things.LOOKALIKES) <= set(LENGTHS)
    assert not set(things.LOOKALIKES) & set(DRAWS)
    rng = np.random.default_rng(0)
    assert {things.lookalike(rng)[0] for _ in range(200)} == set(things.LOOKALIKES)


@pytest.mark.parametrize(
    "draw",
    [
        pages.letter,
        pages.report,
        pages.tables,
        pages.form,
        pages.newspaper,
        pages.receipt,
        pages.codes,
    ],
)
def test_pages_keep_their_margin_and_carry_ink(draw: Callable[..., None]) -> None:
    page = filled(448, 316, (250, 250, 250))
    draw(page, np.random.default_rng(2))
    marked = page.min(axis=-1) < 200
    assert 0.01 < marked.mean() < 0.6
    assert not marked[:, :6].any()


@pytest.mark.parametrize("kind", [*ink.PRINTED, ink.DIGITS, *ink.HANDS])
def test_small_text_has_lines_with_gaps_between_them(kind: int) -> None:
    page = filled(120, 300, (255, 255, 255))
    ink.lines(page, np.random.default_rng(1), (10, 10, 290, 110), step=10, kind=kind)
    dark = (255 - page[..., 0].astype(float)).mean(1)
    assert dark[:10].max() == 0
    rows = dark[10:110].reshape(10, 10)
    assert np.all(rows.max(1)[:9] > 4 * rows.min(1)[:9] + 1)


def test_ragged_lines_end_with_a_whole_word() -> None:
    page = filled(40, 400, (255, 255, 255))
    box = (0, 4, 333, 40)
    ink.lines(page, np.random.default_rng(3), box, step=30, kind=1, justified=False)
    assert page[:, 331:].min() == 255
    assert page.min() < 100
