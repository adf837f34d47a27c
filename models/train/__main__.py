"""`python -m models.train`: train the desk model, or write its weights and manifest."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from cleandesk.detector import default_manifest, read_manifest
from models.train import graph, manifest, small_run, thin_run
from models.train import quantise as quantiser
from models.train.join import join
from models.train.labels import KEPT
from models.train.network import to_arrays
from models.train.run import CHECKPOINT, Plan, Run, last
from models.train.sets import read_all
from models.train.small import SmallPhones
from models.train.small_run import SmallPlan
from models.train.thin_run import ThinPlan

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "train"
SHIPPED = default_manifest()
SCENES = ROOT / "build" / "scenes" / "train"
SHARED = ROOT.parent / "shared"
START = SHARED / "teachers" / "nanodet_plus_m_416.onnx"
STARTED_FROM = "NanoDet-Plus-m 416 (Apache-2.0, github.com/RangiLyu/nanodet)"

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def run(
    steps: Annotated[int, typer.Option(help="Batches in all.")] = Plan.steps,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = Plan.rate,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.")] = Plan.seed,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint.")] = False,  # noqa: FBT002
) -> None:
    """Train; weights stay in build/train until `export` writes them."""
    plan = Plan(steps=steps, rate=rate, seed=seed)
    training = Run(graph.load(START), plan, SHARED / "data", BUILD)
    if resume:
        training.resume()
    training.train()


@app.command()
def thin(
    steps: Annotated[int, typer.Option(help="Batches in all.")] = ThinPlan.steps,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.")] = ThinPlan.seed,
) -> None:
    """Make room for the look for small phones in the branch as it is in the last checkpoint."""
    _, weights = whole_branch()
    plan = ThinPlan(steps=steps, seed=seed)
    typer.echo(thin_run.train(graph.load(START), weights, plan, SHARED / "data", BUILD))


@app.command()
def small(
    steps: Annotated[int, typer.Option(help="Batches in all.")] = SmallPlan.steps,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.")] = SmallPlan.seed,
) -> None:
    """Train the look for small phones beside the last thin branch."""
    plan = SmallPlan(steps=steps, seed=seed)
    typer.echo(small_run.train(graph.load(START), thin_branch(), plan, SHARED / "data", BUILD))


def whole_branch() -> tuple[int, dict[str, graph.Array]]:
    """Steps and weights of the whole branch in the last checkpoint."""
    held = torch.load(last(BUILD, CHECKPOINT), weights_only=True)
    return held["state"]["step"], to_arrays(held["mean"])


def thin_branch() -> dict[str, graph.Array]:
    """Weights of what was made of the last whole branch."""
    return thin_run.load(last(BUILD, thin_run.NAME), whole_branch()[1])


@app.command()
def export(
    folder: Annotated[Path, typer.Option(help="Where weights and manifest go.")] = ROOT
    / "models"
    / "desk",
    untrained: Annotated[bool, typer.Option(help="The branch as it starts.")] = False,  # noqa: FBT002
) -> None:
    """Write desk.onnx and manifest.yaml from the last checkpoints."""
    coco = graph.load(START)
    if untrained:
        torch.manual_seed(0)
        steps, weights = 0, graph.conv_weights(graph.thin_branch_of(coco))
        phones = SmallPhones()
    else:
        (steps, _), weights = whole_branch(), thin_branch()
        phones = small_run.load(last(BUILD, small_run.NAME), weights)
    source = (
        f"{STARTED_FROM}, unchanged for {', '.join(KEPT)}; beside it a branch for the others, "
        f"trained {steps} steps by models/train; data and licences in README.md."
    )
    typer.echo(manifest.save(join(coco, weights, phones.folded()), folder, source))


@app.command()
def quantise(
    path: Annotated[Path, typer.Option("--manifest", help="Of the model in fp32.")] = SHIPPED,
) -> None:
    """Write the int8 file beside the fp32 one, and name it in the manifest."""
    sets = read_all(SHARED / "data", SCENES)
    items = quantiser.spread([sets["coco_unlabelled"], sets["scenes"]])
    target = path.with_name(quantiser.NAME)
    quantiser.quantise(read_manifest(path), items, target)
    manifest.add_int8(path, target)
    typer.echo(target)


if __name__ == "__main__":
    app()
