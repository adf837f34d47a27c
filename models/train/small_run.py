"""Trains the look for small phones beside the thin branch, once that is made."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnx
import torch
from rich.progress import track
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader

from models.train import beside
from models.train.assign import assign, candidates
from models.train.feed import read_stock
from models.train.graph import Array
from models.train.grid import decode_boxes, points
from models.train.labels import Known
from models.train.losses import BINS_WEIGHT, BOX_WEIGHT, Target, box_losses, quality_focal, sureness
from models.train.run import GRADIENT, course
from models.train.small import MAPS, STRIDE, SmallPhones
from models.train.small_views import CEILING, WINDOW, Frozen, Keeper, Window, mark, read_window

# Trained weights, beside the branch's checkpoint in the code and in a build folder.
NAME: Final = "small.pt"
WARM_UP: Final = 50
WORKERS: Final = 2


@dataclass(frozen=True)
class SmallPlan:
    """What a run does.

    Attributes:
        steps: Batches.
        batch: Windows a batch.
        ceiling: Share of them that are of ceilings.
        rate: Highest learning rate.
        seed: Of everything drawn.
    """

    steps: int = 2500
    batch: int = 24
    ceiling: float = 0.5
    rate: float = 3e-3
    seed: int = 1


def load(path: Path, weights: Mapping[str, Array]) -> SmallPhones:
    """Read trained weights.

    Args:
        path: Their file.
        weights: Of the thin branch that they will read.

    Raises:
        GraphError: If they were trained beside another branch.
    """
    net = SmallPhones()
    net.load_state_dict(beside.load(path, weights, remedy="small"))
    return net


def train(
    coco: onnx.ModelProto, weights: Mapping[str, Array], plan: SmallPlan, shared: Path, build: Path
) -> Path:
    """Look at all views, learn from them, and write the weights.

    Args:
        coco: The starting graph.
        weights: Of the thin branch that it will ship beside.
        plan: What to do.
        shared: Where the training sets lie.
        build: Where the weights go, and the windows, which another such run reuses.

    Returns:
        The file of the weights.

    Raises:
        DataError: If a set is missing.
    """
    stock = read_stock(shared, build.parent / "scenes" / "train")
    folder = build / f"windows-{mark(weights, plan.seed)}"
    keeper = Keeper(stock, Frozen(coco, weights), folder, plan.seed)
    loader = DataLoader(keeper, batch_size=None, num_workers=WORKERS)
    path = build / NAME
    net = learn(list(track(loader, "views", len(keeper))), plan)
    beside.save(net.state_dict(), weights, path)
    return path


def learn(paths: list[Path], plan: SmallPlan) -> SmallPhones:
    """Train on kept windows, printing a line every hundred steps."""
    torch.manual_seed(plan.seed)
    net, rng = SmallPhones(), random.Random(plan.seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=0.02)
    of_ceilings = [path for path in paths if path.name.startswith(CEILING)]
    others = [path for path in paths if not path.name.startswith(CEILING)]
    at = points(WINDOW)[: (WINDOW // STRIDE) ** 2]
    many = round(plan.batch * plan.ceiling)
    for step in range(plan.steps):
        chosen = rng.choices(of_ceilings, k=many) + rng.choices(others, k=plan.batch - many)
        windows = [read_window(path) for path in chosen]
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * course(step, plan.steps, WARM_UP, 0.03)
        loss = small_loss(net(stacked(windows)), windows, at)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(net.parameters(), GRADIENT)
        optimizer.step()
        if step % 100 == 99:
            print(f"step {step + 1}/{plan.steps} loss {loss.item():.3f}", flush=True)
    return net


def stacked(windows: list[Window]) -> dict[str, Tensor]:
    """Their maps as batches [B, C, h, w]."""
    return {
        name: torch.stack([torch.from_numpy(w.maps[name]) for w in windows]).float()
        for name in MAPS
    }


def target_of(window: Window, at: Tensor) -> Target:
    """What is to be found at points [N, 3], as of one class; what is unsure is left open."""
    boxes, labels = torch.from_numpy(window.boxes).reshape(-1, 4), torch.from_numpy(window.labels)
    sure = labels >= 0
    known = torch.full((len(at), 1), int(Known.LABELLED), dtype=torch.uint8)
    known[candidates(at, boxes[~sure]).any(1)] = int(Known.IGNORE)
    return Target(boxes[sure], torch.zeros_like(labels[sure]), known)


def small_loss(raw: Tensor, windows: list[Window], at: Tensor) -> Tensor:
    """Loss of a batch: scores and boxes of phones, weighed as the branch's are.

    Args:
        raw: Logits [B, N, 1 + 4 * BINS].
        windows: What they are of.
        at: Points [N, 3].
    """
    logits, box_raw = raw[..., :1], raw[..., 1:]
    scores, predicted = logits.detach().sigmoid(), decode_boxes(box_raw.detach(), at)
    wanted, weight, boxes = torch.zeros_like(scores), torch.ones_like(scores), raw.sum() * 0
    for i, window in enumerate(windows):
        target = target_of(window, at)
        weight[i][target.known == Known.IGNORE] = 0
        found = assign(at, scores[i], predicted[i], target.boxes, target.labels)
        if len(found.points):
            wanted[i, found.points, 0], weight[i, found.points] = sureness(target, found), 1.0
            box, bins = box_losses(box_raw[i], target, found, at)
            boxes = boxes + BOX_WEIGHT * box + BINS_WEIGHT * bins
    return (quality_focal(logits, wanted, weight) + boxes) / wanted.sum().clamp(min=1.0)
