"""Points, assignment and losses: what the training is steered by."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train` only")

from models.train.assign import Assignment, assign, candidates  # noqa: E402
from models.train.grid import BINS, decode_boxes, encode_boxes, pairwise_iou, points  # noqa: E402
from models.train.labels import COCO_OF, LEARNT, NUM_LEARNT, Known  # noqa: E402
from models.train.losses import (  # noqa: E402
    TAKEN,
    UNSURE,
    WEAK,
    WORTH,
    Target,
    Teacher,
    bins_loss,
    class_targets,
    detection_loss,
    giou_loss,
    quality_focal,
    reachable,
    sureness,
    teacher_of,
    worth_of_classes,
)

AT = points()
PHONE, PAPER, NOTEBOOK = (LEARNT.index(c) for c in ("phone", "paper", "notebook"))


def raw_for(box: list[float], sharp: float = 12.0) -> Any:
    """Logits that put this box at every point that can say it, and no class anywhere."""
    distances = encode_boxes(torch.tensor([box]).expand(len(AT), 4), AT)
    bins = torch.arange(BINS).view(1, 1, BINS)
    boxes = -sharp * (distances.unsqueeze(-1) - bins).abs()
    return torch.cat([torch.full((len(AT), NUM_LEARNT), -6.0), boxes.flatten(1)], 1)


def silent(raw: Any) -> Teacher:
    """A teacher that sees nothing."""
    return Teacher(torch.full_like(raw, -8.0).detach(), torch.zeros(raw.shape[:2]))


def target(box: list[float], label: int, known: Known = Known.LABELLED) -> Target:
    codes = torch.full((len(AT), NUM_LEARNT), int(known), dtype=torch.uint8)
    return Target(torch.tensor([box]), torch.tensor([label]), codes)


def test_points_cover_the_input_once_a_stride() -> None:
    assert AT.shape == (64**2 + 32**2 + 16**2, 3)
    assert AT[1].tolist() == [8, 0, 8]
    assert AT[-1].tolist() == [480, 480, 32]


def test_boxes_survive_encoding_and_decoding() -> None:
    box = torch.tensor([[100.0, 120.0, 220.0, 260.0]])
    inside = AT[(AT[:, 2] == 32) & candidates(AT, box)[:, 0]]
    distances = encode_boxes(box.expand(len(inside), 4), inside)
    low = distances.floor().long()
    share = (distances - low).clamp(1e-6, 1 - 1e-6)
    raw = torch.full((len(inside), 4, BINS), -40.0)
    raw.scatter_(2, low.unsqueeze(-1), (1 - share).log().unsqueeze(-1))
    raw.scatter_(2, low.unsqueeze(-1) + 1, share.log().unsqueeze(-1))
    decoded = decode_boxes(raw.flatten(1), inside)
    assert torch.allclose(decoded, box.expand_as(decoded), atol=0.01)


def test_pairwise_iou() -> None:
    a = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    b = torch.tensor([[0.0, 0.0, 10.0, 5.0], [10.0, 10.0, 20.0, 20.0]])
    assert pairwise_iou(a, b).tolist() == [[0.5, 0.0]]


def test_a_pen_thinner_than_the_finest_stride_has_points() -> None:
    pen = torch.tensor([[101.0, 201.0, 160.0, 204.0]])
    assert candidates(AT, pen).any()
    assert not ((AT[:, 1] >= 201) & (AT[:, 1] <= 204)).any()  # none lies truly in it


def test_a_tiny_thing_that_no_box_meets_is_taught_by_several_points() -> None:
    boxes = torch.tensor([[100.0, 100.0, 116.0, 116.0], [300.0, 300.0, 420.0, 420.0]])
    nowhere = torch.zeros(len(AT), 4)
    scores = torch.full((len(AT), NUM_LEARNT), 0.01)
    found = assign(AT, scores, nowhere, boxes, torch.tensor([PHONE, PAPER]))
    assert [(found.boxes == box).sum().item() for box in (0, 1)] == [3, 1]


def test_points_answer_for_the_box_that_they_lie_in() -> None:
    boxes = torch.tensor([[40.0, 40.0, 120.0, 120.0], [240.0, 240.0, 400.0, 330.0]])
    raw = torch.cat([raw_for(boxes[0].tolist())[:1800], raw_for(boxes[1].tolist())[1800:]])
    scores, predicted = raw[:, :NUM_LEARNT].sigmoid(), decode_boxes(raw[:, NUM_LEARNT:], AT)
    found = assign(AT, scores, predicted, boxes, torch.tensor([PHONE, PAPER]))
    assert set(found.boxes.tolist()) == {0, 1}
    assert len(set(found.points.tolist())) == len(found.points)
    for point, box in zip(found.points, found.boxes, strict=True):
        x, y, _ = AT[point]
        assert boxes[box, 0] <= x <= boxes[box, 2]
        assert boxes[box, 1] <= y <= boxes[box, 3]


def test_nothing_labelled_means_no_point_answers() -> None:
    raw = raw_for([0.0, 0.0, 50.0, 50.0])
    scores, predicted = raw[:, :NUM_LEARNT].sigmoid(), decode_boxes(raw[:, NUM_LEARNT:], AT)
    empty = torch.zeros(0, dtype=torch.long)
    assert len(assign(AT, scores, predicted, torch.zeros(0, 4), empty).points) == 0


def test_what_is_known_decides_target_and_weight() -> None:
    box = [100.0, 100.0, 200.0, 200.0]
    raw = raw_for(box)
    scores, predicted = raw[:, :NUM_LEARNT].sigmoid(), decode_boxes(raw[:, NUM_LEARNT:], AT)
    wanted_of = target(box, PAPER, Known.TEACHER)
    wanted_of.known[:, PAPER] = Known.LABELLED
    wanted_of.known[0] = Known.WEAK
    wanted_of.known[3] = Known.WEAK
    wanted_of.known[1] = Known.IGNORE
    scores[[0, 3], PHONE] = UNSURE + 0.1
    teacher = torch.full_like(scores, 0.7)
    taken = torch.zeros(len(AT))
    taken[3] = TAKEN
    found = assign(AT, scores, predicted, wanted_of.boxes, wanted_of.labels)
    wanted, weight = class_targets(wanted_of, found, teacher, taken, scores)

    assert wanted[2, PHONE] == pytest.approx(0.7)  # unlabelled: the teacher's word
    assert wanted[2, PAPER] == 0  # labelled, and not here
    assert weight[2].min() == 1
    assert weight[0, NOTEBOOK] == pytest.approx(WEAK)
    assert weight[0, PHONE] == 0  # a confident answer to an unlabelled class is left alone
    assert weight[3, PHONE] == 1  # unless the teacher sees something else there
    assert weight[1].max() == 0
    first = found.points[0]
    assert wanted[first, PAPER] == pytest.approx(float(found.iou[0]))
    assert wanted[first, NOTEBOOK] == 0  # paper is no notebook, whatever the teacher says


def test_ignored_points_have_no_gradient() -> None:
    raw = raw_for([0.0, 0.0, 50.0, 50.0])[None].requires_grad_()
    nothing = Target(
        torch.zeros(0, 4),
        torch.zeros(0, dtype=torch.long),
        torch.full((len(AT), NUM_LEARNT), int(Known.IGNORE), dtype=torch.uint8),
    )
    detection_loss(raw, silent(raw), [nothing], AT)["total"].backward()
    assert raw.grad is not None
    assert raw.grad.abs().max() == 0


def test_loss_falls_as_the_answer_gets_right() -> None:
    box = [96.0, 96.0, 192.0, 176.0]
    wanted = target(box, PHONE)
    wrong = raw_for([90.0, 90.0, 300.0, 300.0], sharp=3.0)
    right = raw_for(box)
    found = assign(
        AT,
        right[:, :NUM_LEARNT].sigmoid(),
        decode_boxes(right[:, NUM_LEARNT:], AT),
        wanted.boxes,
        wanted.labels,
    )
    right[found.points, PHONE] = 6.0
    teacher = silent(right[None])
    losses = [
        float(detection_loss(raw[None], teacher, [wanted], AT)["total"]) for raw in (wrong, right)
    ]
    assert losses[1] < losses[0] / 3


def test_giou_of_equal_and_of_distant_boxes() -> None:
    a = torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 10.0]])
    b = torch.tensor([[0.0, 0.0, 10.0, 10.0], [90.0, 0.0, 100.0, 10.0]])
    assert giou_loss(a, b).tolist() == pytest.approx([0.0, 1.8])


def test_bins_loss_is_least_at_the_true_distance() -> None:
    distances = torch.full((1, 4), 2.0)
    raw = torch.zeros(1, 4, BINS)
    values = []
    for guess in range(BINS):
        logits = raw.clone()
        logits[..., guess] = 5.0
        values.append(float(bins_loss(logits.flatten(1), distances)))
    assert values.index(min(values)) == 2


def test_the_coco_model_is_read_as_our_teacher() -> None:
    coco = torch.full((1, 2, 80 + 4 * BINS), -9.0)
    coco[0, 0, COCO_OF["phone"]] = 2.0
    coco[0, 0, COCO_OF["bottle"]] = 2.0
    coco[0, 1, COCO_OF["notebook"]] = 3.0
    teacher = teacher_of(coco)
    assert teacher.raw.shape == (1, 2, NUM_LEARNT + 4 * BINS)
    assert teacher.raw[0, 0, PHONE] == 2
    assert teacher.raw[0, 1, NOTEBOOK] == 3
    assert teacher.raw[0, :, PAPER].sigmoid().max() < 0.01
    assert teacher.taken[0, 0] > 0.8  # a bottle is no pen
    assert teacher.taken[0, 1] < 0.01  # what looks like a book may be paper


def test_a_box_that_no_point_can_say_is_wanted_by_the_share_that_can_be_reached() -> None:
    whole = torch.tensor([[0.0, 0.0, 512.0, 512.0], [0.0, 0.0, 448.0, 100.0]])
    best = reachable(whole)
    assert best.tolist() == [pytest.approx((448 / 512) ** 2), 1.0]
    found = Assignment(torch.tensor([0, 1]), torch.tensor([0, 1]), torch.tensor([0.7, 0.7]))
    wanted = sureness(Target(whole, torch.tensor([0, 0]), torch.zeros(0)), found)
    assert wanted.tolist() == [pytest.approx(0.7 / best[0].item()), pytest.approx(0.7)]


def test_a_tiny_things_box_is_learnt_as_much_as_its_class() -> None:
    box = torch.tensor([[100.0, 100.0, 110.0, 118.0]])
    found = Assignment(torch.tensor([0]), torch.tensor([0]), torch.tensor([0.05]))
    assert sureness(Target(box, torch.tensor([0]), torch.zeros(0)), found).tolist() == [0.5]


def test_a_mistake_with_a_class_weighs_as_much_as_the_class() -> None:
    logits = torch.zeros(1, NUM_LEARNT)
    wanted = {name: torch.zeros(1, NUM_LEARNT) for name in ("paper", "pen")}
    for name, row in wanted.items():
        row[0, LEARNT.index(name)] = 1
    only = torch.eye(NUM_LEARNT)
    paper, pen = (
        quality_focal(logits, row, only[[LEARNT.index(name)]] * worth_of_classes()).item()
        for name, row in wanted.items()
    )
    assert paper == pytest.approx(WORTH["paper"] * pen)
