"""One training run: resumable, checkpointed every ten minutes, and recorded."""

import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from models.train.feed import Feed, batches, read_stock
from models.train.grid import points
from models.train.losses import Target, detection_loss, teacher_of
from models.train.network import Detector, parameter_groups

CHECKPOINT_S: Final = 600.0
KEEP: Final = 0.996  # of the running mean of the weights, a step
GRADIENT: Final = 10.0
WARM_UP: Final = 150
# What a new machine needs to go on: weights, their mean, the optimiser, the step.
CHECKPOINT: Final = "checkpoint.pt"


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Attributes:
        steps: How many batches in all.
        batch: Pictures a batch.
        epoch: Batches between two readings of the sets (rendered scenes may still be growing).
        rate: Highest learning rate, of the head.
        seed: Of everything drawn.
    """

    steps: int = 12600
    batch: int = 16
    epoch: int = 200
    rate: float = 1e-3
    seed: int = 1


@dataclass
class State:
    """How far a run is."""

    step: int = 0
    seconds: float = 0.0
    record: list[dict[str, Any]] = field(default_factory=list)


def rate_at(step: int, plan: Plan) -> float:
    """Learning rate of the head."""
    return plan.rate * course(step, plan.steps, WARM_UP, 0.05)


def course(step: int, steps: int, warm_up: int, least: float) -> float:
    """Share of the highest rate: half a cosine from 1 down to `least`, under a short rise.

    Args:
        step: The step, from 0.
        steps: How many there are; a later one gets `least`.
        warm_up: Steps that the rise takes.
        least: Share at the end.
    """
    done = min(1.0, step / steps)
    fall = least + (1 - least) * 0.5 * (1 + math.cos(math.pi * done))
    return min(1.0, (step + 1) / warm_up) * fall


def last(build: Path, name: str) -> Path:
    """A file of the last run: in the build folder, or else the one that came with the code."""
    return path if (path := build / name).is_file() else Path(__file__).with_name(name)


class Run:
    """Trains a branch beside the frozen COCO-80 model that it started from."""

    def __init__(self, coco: onnx.ModelProto, plan: Plan, shared: Path, build: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.shared, self.build = plan, shared, build
        self.net = Detector(coco)
        self.mean = {n: p.detach().clone() for n, p in self.net.branch.named_parameters()}
        groups = parameter_groups(self.net, plan.rate)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
        self.state, self.at = State(), points()
        build.mkdir(parents=True, exist_ok=True)

    @property
    def checkpoint(self) -> Path:
        """Where the run is kept between two calls."""
        return self.build / CHECKPOINT

    def resume(self) -> None:
        """Go on from the last checkpoint, or else from the one that came with the code."""
        kept = torch.load(last(self.build, CHECKPOINT), weights_only=True)
        self.net.branch.load_state_dict(kept["net"])
        self.mean = kept["mean"]
        self.optimizer.load_state_dict(kept["optimizer"])
        self.state = State(**kept["state"])

    def save(self) -> None:
        """Keep the run, whole or not at all."""
        fresh = self.checkpoint.with_suffix(".new")
        kept = {
            "net": self.net.branch.state_dict(),
            "mean": self.mean,
            "optimizer": self.optimizer.state_dict(),
            "state": asdict(self.state),
        }
        torch.save(kept, fresh)
        fresh.replace(self.checkpoint)
        story = {"plan": asdict(self.plan), **asdict(self.state)}
        (self.build / "run.json").write_text(json.dumps(story, indent=1), encoding="utf-8")

    def train(self) -> None:
        """Train to the plan's last step, printing a line every fifty."""
        saved = time.monotonic()
        while self.state.step < self.plan.steps:
            for pictures, targets in self._epoch():
                began = time.monotonic()
                terms = self._step(pictures, targets)
                self.state.step += 1
                self.state.seconds += time.monotonic() - began
                if self.state.step % 50 == 0:
                    self._note(terms)
                if time.monotonic() - saved > CHECKPOINT_S:
                    self.save()
                    saved = time.monotonic()
        self.save()

    def _epoch(self) -> "DataLoader[tuple[Tensor, list[Target]]]":
        stock = read_stock(self.shared, self.build.parent / "scenes" / "train")
        counts = {name: len(items) for name, items in stock.sets.items()}
        self.state.record.append({"step": self.state.step, "pictures": counts})
        print(f"step {self.state.step}: {counts}", flush=True)
        count = min(self.plan.epoch, self.plan.steps - self.state.step)
        first = self.state.step * self.plan.batch
        feed = Feed(stock, self.plan.seed, first, count * self.plan.batch)
        return batches(feed, self.plan.batch)

    def _step(self, pictures: Tensor, targets: list[Target]) -> dict[str, Tensor]:
        rate = rate_at(self.state.step, self.plan)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        seen = self.net.see(pictures)
        terms = detection_loss(self.net.answer(seen), teacher_of(seen.coco), targets, self.at)
        self.optimizer.zero_grad(set_to_none=True)
        terms["total"].backward()
        torch.nn.utils.clip_grad_norm_(self.net.branch.parameters(), GRADIENT)
        self.optimizer.step()
        keep = min(KEEP, (1 + self.state.step) / (10 + self.state.step))
        with torch.no_grad():
            for name, parameter in self.net.branch.named_parameters():
                self.mean[name].lerp_(parameter, 1 - keep)
        return terms

    def _note(self, terms: dict[str, Tensor]) -> None:
        values = {name: round(value.item(), 4) for name, value in terms.items()}
        self.state.record.append({"step": self.state.step, "loss": values})
        pace = self.state.seconds / self.state.step
        print(f"step {self.state.step}/{self.plan.steps} {values} {pace:.2f} s/step", flush=True)
