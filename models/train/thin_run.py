"""Splits a trained branch, and lets it learn back from the whole one what that lost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from rich.progress import track
from torch import Tensor

from models.train import beside
from models.train.feed import Feed, batches, demand_scenes, read_stock
from models.train.graph import Array, branch_of, thin_branch_of, write_weights
from models.train.grid import SIZE, STRIDES
from models.train.join import count_points
from models.train.labels import NUM_LEARNT
from models.train.network import Detector, answer_of, to_arrays, to_torch
from models.train.run import course
from models.train.thin import RANKS, Said, split

# Trained weights, beside the branch's checkpoint in the code and in a build folder.
NAME: Final = "thin.pt"
WARM_UP: Final = 20
# It starts near its goal, and few pictures are in a batch: one odd picture shall not throw it off.
GRADIENT: Final = 1.0
# What a place weighs where the whole branch sees nothing, beside 1 where it is sure: there are
# hundreds of such places to each thing, and a find too many is a find too many.
NOTHING: Final = 0.02
# Of a thing's 32 numbers for its box, each matters less than its score.
BOXES: Final = 0.25


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


def load(path: Path, whole: Mapping[str, Array]) -> dict[str, Array]:
    """Read the weights of a thin branch.

    Args:
        path: Their file.
        whole: Weights of the whole branch that they are to be of.

    Raises:
        GraphError: If there are none, or they are of another.
    """
    return to_arrays(beside.load(path, whole, remedy="thin"))


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
    stock = read_stock(shared, build.parent / "scenes" / "train")
    demand_scenes(stock)
    whole = Detector(coco, _filled(branch_of(coco), weights))
    heard = batches(Feed(stock, plan.seed, 0, plan.heard), 1)
    said = hear(whole, (pictures for pictures, _ in track(heard, "hear")))
    thin = to_torch(_filled(thin_branch_of(coco), split(weights, said)))
    shown = batches(Feed(stock, plan.seed, plan.heard, plan.steps * plan.batch), plan.batch)
    learn(thin, whole, (pictures for pictures, _ in shown), plan)
    path = build / NAME
    beside.save(dict(thin.named_parameters()), weights, path)
    return path


def _filled(branch: onnx.ModelProto, weights: Mapping[str, Array]) -> onnx.ModelProto:
    write_weights(branch, weights)
    return branch


@torch.no_grad()  # type: ignore[untyped-decorator]
def hear(whole: Detector, shown: Iterable[Tensor]) -> dict[str, Said]:
    """What the convolutions that are to be split say.

    Args:
        whole: Has them.
        shown: Batches of pictures [B, 3, 512, 512].

    Returns:
        By name.
    """
    said = {name: Said() for name in RANKS}

    def listen(name: str) -> Any:
        return lambda _, __, out: said[name].add(out.numpy())

    places = [whole.branch.get_submodule(name) for name in RANKS]
    hooks = [place.register_forward_hook(listen(n)) for n, place in zip(RANKS, places, strict=True)]
    for pictures in shown:
        whole.branch(*whole.see(pictures).features)
    for hook in hooks:
        hook.remove()
    return said


def learn(thin: Any, whole: Detector, shown: Iterable[Tensor], plan: ThinPlan) -> None:
    """Teach a thin branch to say what the whole one says, printing a line every ten steps.

    Args:
        thin: Learns, in place.
        whole: Teaches.
        shown: Batches of pictures [B, 3, 512, 512], one a step.
        plan: Its steps and rate.
    """
    optimizer = torch.optim.Adam(thin.parameters(), lr=plan.rate)
    for step, pictures in enumerate(shown):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * course(step, plan.steps, WARM_UP, 0.01)
        seen = whole.see(pictures)
        with torch.no_grad():
            wanted = whole.answer(seen)
        loss = unlike(answer_of(thin, seen), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(thin.parameters(), GRADIENT)
        optimizer.step()
        if step % 10 == 9:
            print(f"step {step + 1}/{plan.steps} loss {loss.item():.3f}", flush=True)


def unlike(answers: Tensor, wanted: Tensor) -> Tensor:
    """How far answers [B, 5376, 10 + 32] are from those wanted.

    The weighted mean square of logits, of each stride by itself, so that the many places of the
    finest do not drown what is large; then their sum. A score's weight is how sure the wanted one
    is, a box's how sure its surest score is.
    """
    counts = [count_points(SIZE, [stride]) for stride in STRIDES]
    total = torch.zeros(())
    for ours, theirs in zip(answers.split(counts, 1), wanted.split(counts, 1), strict=True):
        off = (ours - theirs).square()
        sure = theirs[..., :NUM_LEARNT].sigmoid() + NOTHING
        surest = sure.amax(-1, keepdim=True)
        scores = (sure * off[..., :NUM_LEARNT]).sum() / sure.sum()
        boxes = (surest * off[..., NUM_LEARNT:]).mean(-1).sum() / surest.sum()
        total = total + scores + BOXES * boxes
    return total
