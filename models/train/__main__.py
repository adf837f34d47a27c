"""`python -m models.train`: train the desk model, or write its weights and manifest."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from cleandesk.detector import default_manifest, read_manifest
from models.train import graph, manifest
from models.train import quantise as quantiser
from models.train.join import join
from models.train.labels import KEPT
from models.train.network import to_arrays
from models.train.run import Plan, Run
from models.train.sets import read_all

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
def export(
    folder: Annotated[Path, typer.Option(help="Where weights and manifest go.")] = ROOT
    / "models"
    / "desk",
    untrained: Annotated[bool, typer.Option(help="The branch as it starts.")] = False,  # noqa: FBT002
) -> None:
    """Write desk.onnx and manifest.yaml from the last checkpoint."""
    coco = graph.load(START)
    steps, weights = 0, graph.conv_weights(graph.branch_of(coco))
    if not untrained:
        kept = torch.load(BUILD / "checkpoint.pt", weights_only=True)
        steps, weights = kept["state"]["step"], to_arrays(kept["mean"])
    source = (
        f"{STARTED_FROM}, unchanged for {', '.join(KEPT)}; beside it a branch for the others, "
        f"trained {steps} steps by models/train; data and licences in README.md."
    )
    typer.echo(manifest.save(join(coco, weights), folder, source))


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
