"""What the training minimises, with labels that are only partly there.

Quality focal loss and distribution focal loss (arXiv:2006.04388), GIoU (arXiv:1902.09630), and
for every class that a picture does not label: the starting model's own answer for that picture.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.train.assign import Assignment, assign, tiny
from models.train.grid import BINS, STRIDES, decode_boxes, encode_boxes
from models.train.labels import COCO_CLASSES, COCO_OF, LEARNT, NO_WITNESS, NUM_LEARNT, SHARED, Known

WEAK = 0.3  # weight of "not labelled, probably absent"
UNSURE = 0.5  # a score above which a weak negative is left alone: it may be right
TAKEN = 0.35  # but not where the teacher sees some other thing with at least this score
BOX_WEIGHT, BINS_WEIGHT, KEEP_WEIGHT = 2.0, 0.25, 0.5
# How much a class weighs: the rules that a box has by default name these two, and with so small a
# branch what one class learns another forgets.
WORTH = {"paper": 3.0, "phone": 1.5}
NEVER = -8.0  # logit of what the teacher does not know
TINY_SCORE = 0.5  # the least score wanted of a tiny thing
KEEP_ABOVE = 0.3  # teacher's score above which its box is a target too


@dataclass(frozen=True)
class Target:
    """Labels of one picture: boxes [M, 4], labels [M], known [N, C] of `Known` values."""

    boxes: Tensor
    labels: Tensor
    known: Tensor


@dataclass(frozen=True)
class Teacher:
    """What the starting model says of a batch.

    Attributes:
        raw: Logits of the learnt classes and box bins [B, N, C + 4 * BINS].
        taken: How sure it is that a point shows a thing that is nothing it does not know [B, N].
    """

    raw: Tensor
    taken: Tensor


def teacher_of(coco: Tensor) -> Teacher:
    """Read the answer of the COCO-80 model, logits [B, N, 80 + 4 * BINS], as a teacher's.

    Classes that it does not know get logits that mean "no".
    """
    never = torch.full_like(coco[..., :1], NEVER)
    columns = [coco[..., [COCO_OF[c][0]]] if c in SHARED else never for c in LEARNT]
    witnesses = [i for i in range(COCO_CLASSES) if i not in NO_WITNESS]
    return Teacher(
        torch.cat([*columns, coco[..., COCO_CLASSES:]], -1),
        coco[..., witnesses].amax(-1).sigmoid(),
    )


def class_targets(
    target: Target, found: Assignment, teacher: Tensor, taken: Tensor, scores: Tensor
) -> tuple[Tensor, Tensor]:
    """Class targets and weights of one picture, both [N, C].

    Args:
        target: Labels.
        found: Points that answer for them.
        teacher: Starting model's scores [N, C].
        taken: Its score for a thing that is none of those it does not know [N].
        scores: Scores now [N, C], without gradient.
    """
    known = target.known
    wanted = torch.where(known == Known.TEACHER, teacher, torch.zeros_like(teacher))
    weight = torch.ones_like(teacher)
    weak = torch.where(scores < UNSURE, torch.full_like(scores, WEAK), torch.zeros_like(scores))
    weak = torch.where(taken[:, None] >= TAKEN, torch.ones_like(weak), weak)
    weight = torch.where(known == Known.WEAK, weak, weight)
    weight = weight.masked_fill(known == Known.IGNORE, 0.0)
    wanted[found.points] = 0.0  # a thing that is labelled is no other thing
    weight[found.points] = 1.0
    wanted[found.points, target.labels[found.boxes]] = sureness(target, found)
    return wanted, weight


def sureness(target: Target, found: Assignment) -> Tensor:
    """The score wanted of each point that answers for a box [P].

    It is the overlap of the point's own box; of a tiny thing never less than `TINY_SCORE`; and of
    one that is too large for any box that a point can say, the share of what could be reached.
    """
    iou = torch.where(tiny(target.boxes)[found.boxes], found.iou.clamp(min=TINY_SCORE), found.iou)
    return (iou / reachable(target.boxes)[found.boxes]).clamp(max=1)


def reachable(boxes: Tensor) -> Tensor:
    """The best overlap that a box about a point in its middle can have with each box [M]."""
    longest = 2 * (BINS - 1) * STRIDES[-1]
    return (longest / (boxes[:, 2:] - boxes[:, :2])).clamp(max=1).prod(-1)


def worth_of_classes() -> Tensor:
    """What each learnt class weighs [C]."""
    return torch.tensor([WORTH.get(name, 1.0) for name in LEARNT])


def quality_focal(logits: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Quality focal loss, summed over all that is told of; all three have one shape."""
    gap = (wanted - logits.sigmoid()).abs() ** 2
    bce = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (bce * gap * weight).sum()


def giou_loss(a: Tensor, b: Tensor) -> Tensor:
    """1 - GIoU of boxes a and b, row by row: [N]."""
    inter = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1)
    overlap = inter.prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - overlap
    return 1 - overlap / union.clamp(min=1e-6) + (hull - union) / hull.clamp(min=1e-6)


def bins_loss(raw: Tensor, distances: Tensor) -> Tensor:
    """Distribution focal loss of logits [N, 4 * BINS] for distances [N, 4] in strides: [N]."""
    logp = raw.unflatten(-1, (4, BINS)).log_softmax(-1)
    low = distances.floor().long()
    share = distances - low
    at_low = logp.gather(-1, low.unsqueeze(-1)).squeeze(-1)
    at_high = logp.gather(-1, (low + 1).clamp(max=BINS - 1).unsqueeze(-1)).squeeze(-1)
    return -(at_low * (1 - share) + at_high * share).mean(-1)


def box_losses(raw: Tensor, target: Target, found: Assignment, at: Tensor) -> tuple[Tensor, Tensor]:
    """Losses of one picture's boxes and of their bins, summed by how sure each point is wanted.

    Args:
        raw: Logits of all points' bins [N, 4 * BINS].
        target: Labels.
        found: Points that answer for them.
        at: Points [N, 3].
    """
    mine, near, goal = raw[found.points], at[found.points], target.boxes[found.boxes]
    importance = sureness(target, found).clamp(min=0.1)
    box = (giou_loss(decode_boxes(mine, near), goal) * importance).sum()
    return box, (bins_loss(mine, encode_boxes(goal, near)) * importance).sum()


def detection_loss(
    raw: Tensor, teacher: Teacher, targets: list[Target], at: Tensor
) -> dict[str, Tensor]:
    """Loss terms of a batch.

    Args:
        raw: Logits [B, N, C + 4 * BINS].
        teacher: What the starting model says of the same pictures.
        targets: Labels, one per picture.
        at: Points [N, 3].

    Returns:
        `class`, `box`, `bins`, `keep` (teacher's boxes), each weighted, and `total`.
    """
    logits, box_raw = raw[..., :NUM_LEARNT], raw[..., NUM_LEARNT:]
    scores, wise = logits.detach().sigmoid(), teacher.raw[..., :NUM_LEARNT].sigmoid()
    predicted = decode_boxes(box_raw.detach(), at)
    zero = raw.sum() * 0
    terms = {"box": zero, "bins": zero, "keep": zero}
    goals = []
    for i, target in enumerate(targets):
        found = assign(at, scores[i], predicted[i], target.boxes, target.labels)
        goals.append(class_targets(target, found, wise[i], teacher.taken[i], scores[i]))
        if len(found.points):
            box, bins = box_losses(box_raw[i], target, found, at)
            terms["box"], terms["bins"] = terms["box"] + box, terms["bins"] + bins
        kept = _keep_boxes(box_raw[i], teacher.raw[i], wise[i], target, found)
        terms["keep"] = terms["keep"] + kept
    wanted, weight = (torch.stack(part) for part in zip(*goals, strict=True))
    terms["class"] = quality_focal(logits, wanted, weight * worth_of_classes())
    mass = (wanted * weight).amax(-1).sum()
    norm = mass.clamp(min=1.0)
    scaled = {
        "class": terms["class"] / norm,
        "box": terms["box"] / norm * BOX_WEIGHT,
        "bins": terms["bins"] / norm * BINS_WEIGHT,
        "keep": terms["keep"] / norm * KEEP_WEIGHT,
    }
    return {**scaled, "total": sum(scaled.values(), zero)}


def _keep_boxes(
    box_raw: Tensor, teacher: Tensor, wise: Tensor, target: Target, found: Assignment
) -> Tensor:
    """Cross entropy with the teacher's box bins where it is sure and no label says otherwise."""
    trusted = torch.where(target.known == Known.TEACHER, wise, torch.zeros_like(wise)).amax(-1)
    trusted = trusted.masked_fill(trusted < KEEP_ABOVE, 0.0)
    trusted[found.points] = 0.0
    rows = trusted.nonzero()[:, 0]
    if len(rows) == 0:
        return box_raw.sum() * 0
    theirs = teacher[rows, NUM_LEARNT:].unflatten(-1, (4, BINS)).softmax(-1)
    ours = box_raw[rows].unflatten(-1, (4, BINS)).log_softmax(-1)
    return (-(theirs * ours).sum(-1).mean(-1) * trusted[rows]).sum()
