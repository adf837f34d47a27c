"""Which points answer for which labelled box: dynamic soft label assignment.

After NanoDet-Plus' assigner (Apache-2.0), itself after SimOTA (arXiv:2107.08430): the cost of a
point is its class error, its box error and its distance from the middle; each box takes as many
of the cheapest points as its best overlaps add up to.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.train.grid import pairwise_iou

CANDIDATES = 13
BOX_COST = 3.0
# Half the side that the thinnest box counts as when points inside it are looked for: a pen seen
# from above is thinner than the finest stride, and no point might lie in it.
LEAST_HALF_SIDE = 6.0
OUTSIDE = 1e8
# A box with a shorter side than TINY (input pixels) has hardly a point whose box overlaps it well,
# and so would be taught by one point among look-alike neighbours: it gets this many.
TINY = 24.0
TINY_POINTS = 3


@dataclass(frozen=True)
class Assignment:
    """Result for one picture: `points` [P] answer for `boxes` [P] with overlap `iou` [P]."""

    points: Tensor
    boxes: Tensor
    iou: Tensor


def tiny(boxes: Tensor) -> Tensor:
    """Which boxes [M, 4] are so small that a pixel's error spoils their overlap: bool [M]."""
    return (boxes[:, 2:] - boxes[:, :2]).amin(-1) < TINY


def candidates(at: Tensor, boxes: Tensor) -> Tensor:
    """Which points [N, 3] may answer for which boxes [M, 4]: bool [N, M]."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = ((boxes[:, 2:] - boxes[:, :2]) / 2).clamp(min=LEAST_HALF_SIDE)
    return ((at[:, None, :2] - middle).abs() <= half).all(-1)


def assign(
    at: Tensor, scores: Tensor, predicted: Tensor, boxes: Tensor, labels: Tensor
) -> Assignment:
    """Choose the points that answer for each labelled box of one picture.

    Args:
        at: Points [N, 3].
        scores: Scores now, after the sigmoid [N, C].
        predicted: Boxes now [N, 4].
        boxes: Labelled boxes [M, 4], input pixels.
        labels: Their classes [M].
    """
    empty = at.new_zeros(0, dtype=torch.long)
    if len(boxes) == 0:
        return Assignment(empty, empty, at.new_zeros(0))
    inside = candidates(at, boxes)
    near = inside.any(1).nonzero()[:, 0]
    if len(near) == 0:
        return Assignment(empty, empty, at.new_zeros(0))
    iou = pairwise_iou(predicted[near], boxes)
    cost = _cost(at[near], scores[near], iou, boxes, labels)
    cost = torch.where(inside[near], cost, torch.full_like(cost, OUTSIDE))
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    top = iou.masked_fill(~inside[near], 0.0).topk(min(CANDIDATES, len(near)), 0).values
    least = torch.where(tiny(boxes), TINY_POINTS, 1)
    for column, count in enumerate(torch.maximum(top.sum(0).int(), least).tolist()):
        cheapest = cost[:, column].topk(min(count, len(near)), largest=False).indices
        chosen[cheapest, column] = True
    chosen &= cost < OUTSIDE
    best = cost.masked_fill(~chosen, OUTSIDE * 2).argmin(1)
    taken = chosen.any(1)
    rows = taken.nonzero()[:, 0]
    return Assignment(near[rows], best[rows], iou[rows, best[rows]].clamp(min=0))


def _cost(at: Tensor, scores: Tensor, iou: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    distance = (at[:, None, :2] - middle).norm(dim=-1) / at[:, None, 2]
    centre_cost = torch.pow(10, distance - 3)
    score = scores[:, labels].clamp(1e-6, 1 - 1e-6)
    error = functional.binary_cross_entropy(score, iou, reduction="none")
    class_cost = error * (iou - score).abs() ** 2
    return class_cost - torch.log(iou + 1e-7) * BOX_COST + centre_cost
