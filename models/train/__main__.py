"""`python -m models.train`: train the desk model, or write its weights and manifest."""

from pathlib import Path
from typing import Annotated

import torch
import typer
import yaml

from models.train import graph, manifest
from models.train.network import to_arrays
from models.train.run import Plan, Run

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "train"
SHARED = ROOT.parent / "shared"
START = SHARED / "teachers" / "nanodet_plus_m_416.onnx"
CHOICES = Path(__file__).with_name("thresholds.yaml")
STARTED_FROM = "NanoDet-Plus-m 416 (Apache-2.0, github.com/RangiLyu/nanodet)"
SHARE = 0.85  # chosen on coco_desk_dev and rendered scenes, see models/desk/README.md

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


def _thresholds() -> dict[str, float]:
    chosen = yaml.safe_load(CHOICES.read_text(encoding="utf-8"))
    return {str(name): float(score) for name, score in chosen.items()}


@app.command()
def run(
    steps: Annotated[int, typer.Option(help="Batches in all.")] = Plan.steps,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = Plan.rate,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.")] = Plan.seed,
    start: Annotated[
        Path | None, typer.Option(help="Desk weights to begin with; the COCO model if left out.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint.")] = False,  # noqa: FBT002
) -> None:
    """Train; weights stay in build/train until `export` writes them."""
    plan = Plan(steps=steps, rate=rate, seed=seed)
    training = Run(graph.load(START), plan, SHARED / "data", BUILD)
    if start is not None:
        weights = graph.conv_weights(graph.load(start))
        tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
        training.net.trunk.load_state_dict(tensors, strict=False)
        training.mean = {n: p.detach().clone() for n, p in training.net.trunk.named_parameters()}
    if resume:
        training.resume()
    training.train()


@app.command()
def export(
    folder: Annotated[Path, typer.Option(help="Where weights and manifest go.")] = ROOT
    / "models"
    / "desk",
    share: Annotated[float, typer.Option(help="Of the way from the start, 0-1.")] = SHARE,
    untrained: Annotated[bool, typer.Option(help="Only re-map the head.")] = False,  # noqa: FBT002
) -> None:
    """Write desk.onnx and manifest.yaml from the last checkpoint."""
    model = graph.remap_head(graph.load(START))
    source = f"{STARTED_FROM}; head rows re-mapped from COCO-80, not trained further."
    if not untrained:
        kept = torch.load(BUILD / "checkpoint.pt", weights_only=True)
        trained = to_arrays(kept["mean"])
        weights = graph.blend(graph.conv_weights(model), trained, share)
        model = graph.write_weights(model, weights)
        source = (
            f"Fine-tuned from {STARTED_FROM} by models/train, "
            f"{kept['state']['step']} steps, {share:.0%} of the way; "
            "data and licences in README.md."
        )
    typer.echo(manifest.save(model, folder, _thresholds(), source))


if __name__ == "__main__":
    app()
