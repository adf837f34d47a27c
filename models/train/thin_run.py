"""Splits a trained branch, and lets it learn back from the whole one what that lost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader

from models.train import kept
from models.train.feed import Feed, collate, read_stock
from models.train.graph import Array, thin_branch_of
from models.train.labels import NUM_LEARNT
from models.train.network import Detector, fill, module, to_arrays
from models.train.run import course
from models.train.thin import RANKS, Said, split

# Trained weights, beside the branch's checkpoint in the code and in a build folder.
NAME: Final = "thin.pt"
WARM_UP: Final = 20
GRADIENT: Final = 1.0
# What a point weighs where the whole branch sees nothing; where it is sure, it weighs 1.
NOTHING: Final = 0.02
BOX_WEIGHT: Final = 0.25


@dataclass(frozen=True)
class ThinPlan:
    """What a run does.

    Attributes:
        heard: Pictures that tell which directions are kept.
        steps: Batches from which it learns.
        batch: Pictures a batch.
        rate: Highest learning rate.
        seed: Of everything drawn.
    """

    heard: int = 400
    steps: int = 400
    batch: int = 8
    rate: float = 3e-4
    seed: int = 2


def load(path: Path, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Read the thin branch of a whole one, whose weights are given.

    Raises:
        GraphError: If it is of another.
    """
    return to_arrays(kept.load(path, weights, remedy="thin"))


def train(
    coco: onnx.ModelProto, weights: Mapping[str, Array], plan: ThinPlan, shared: Path, build: Path
) -> Path:
    """Split the branch, teach it, and write its weights.

    Args:
        coco: The starting graph.
        weights: Of the whole branch.
        plan: What to do.
        shared: Where the training sets lie.
        build: Where the weights go.

    Returns:
        The file of the weights.

    Raises:
        DataError: If a set is missing.
    """
    whole = Detector(coco)
    fill(whole.branch, weights)
    stock = read_stock(shared, build.parent / "scenes" / "train")
    feed = Feed(stock, plan.seed, 0, plan.heard)
    said = hear(whole, track(_pictures(feed, 1), "hear", len(feed)))
    thin = module(thin_branch_of(coco))
    fill(thin, split(weights, said))
    feed = Feed(stock, plan.seed, plan.heard, plan.steps * plan.batch)
    learn(thin, whole, _pictures(feed, plan.batch), plan)
    path = build / NAME
    kept.save(dict(thin.named_parameters()), weights, path)
    return path


def _pictures(feed: Feed, batch: int) -> Iterable[Tensor]:
    loader = DataLoader(feed, batch, collate_fn=collate, num_workers=1, prefetch_factor=4)
    return (pictures for pictures, _ in loader)


@torch.no_grad()  # type: ignore[untyped-decorator]
def hear(whole: Detector, batches: Iterable[Tensor]) -> dict[str, Said]:
    """What the convolutions that are to be split say of pictures [B, 3, 512, 512]."""
    said = {name: Said() for name in RANKS}

    def listen(name: str) -> Any:
        return lambda _, __, out: said[name].add(out.numpy())

    hooks = [whole.branch.get_submodule(name).register_forward_hook(listen(name)) for name in RANKS]
    for pictures in batches:
        whole.branch(*whole.see(pictures).features)
    for hook in hooks:
        hook.remove()
    return said


def learn(thin: Any, whole: Detector, batches: Iterable[Tensor], plan: ThinPlan) -> None:
    """Teach the thin branch what the whole one says, printing a line every ten steps."""
    optimizer = torch.optim.Adam(thin.parameters(), lr=plan.rate)
    for step, pictures in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * course(step, plan.steps, WARM_UP, 0.01)
        features = whole.see(pictures).features
        with torch.no_grad():
            wanted = whole.branch(*features)
        loss = unlike(thin(*features), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(thin.parameters(), GRADIENT)
        optimizer.step()
        if step % 10 == 9:
            print(f"step {step + 1}/{plan.steps} loss {loss.item():.3f}", flush=True)


def unlike(levels: Iterable[Tensor], wanted: Iterable[Tensor]) -> Tensor:
    """How far answers [B, 10 + 32, h, w] of each stride are from those wanted, which are weighed.

    The weighted mean square of logits: a score's weight is how sure the wanted one is, and a box's
    how sure its surest score is.
    """
    total = torch.zeros(())
    for ours, theirs in zip(levels, wanted, strict=True):
        off = (ours - theirs).square()
        sure = theirs[:, :NUM_LEARNT].sigmoid() + NOTHING
        surest = sure.amax(1, keepdim=True)
        scores = (sure * off[:, :NUM_LEARNT]).sum() / sure.sum()
        boxes = (surest * off[:, NUM_LEARNT:]).mean(1).sum() / surest.sum()
        total = total + scores + BOX_WEIGHT * boxes
    return total
