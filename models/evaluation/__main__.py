"""`python -m models.evaluation`: choose the operating point, write the report, judge one set."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from cleandesk.detector import Detector, ModelError
from models.evaluation import choose as chooser
from models.evaluation import int8 as eight_bits
from models.evaluation import (
    measures,
    operating_point,
    page,
    plots,
    reading,
    report,
    second_look,
    second_look_page,
    sets,
    teachers,
    text_detector,
)
from models.evaluation.json_form import plain
from models.evaluation.looking import (
    BUILD,
    FP32,
    SHIPPED,
    Eye,
    Model,
    RawModel,
    frames_of,
    read_yaml,
)
from models.evaluation.operating_point import OperatingPoint
from models.evaluation.reading import Read
from models.evaluation.sets import EvaluationError, PictureSet

FIGURES: Final = Path(__file__).with_name("figures")
PAGE: Final = sets.ROOT / "models" / "README.md"
WHICH: Final = "rooms, choose, report, scenes, ceiling, pens, sheets, photographs"

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
ManifestOption = Annotated[Path, typer.Option(help="The model's manifest.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs; no progress bars.")]
FreshOption = Annotated[bool, typer.Option(help="Look again at what was looked at before.")]
ScenesOption = Annotated[
    bool, typer.Option(help="Whether to use the rendered scenes of build/scenes/val.")
]


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (EvaluationError, ModelError) as error:
        typer.echo(f"evaluation: {error}", err=True)
        raise typer.Exit(2) from error


@app.command()
def choose(
    manifest: ManifestOption = SHIPPED,
    out: Annotated[
        Path | None, typer.Option(help="Only write it there; default: the manifest's, and into it.")
    ] = None,
    *,
    scenes: ScenesOption = True,
    as_json: JsonOption = False,
    fresh: FreshOption = False,
) -> None:
    """Fit calibration and thresholds on the choose half, and write operating_point.yaml."""
    with _errors():
        model, eye = RawModel(manifest), Eye(BUILD, quiet=as_json, fresh=fresh)
        real = sets.half("choose")
        rendered = sets.scenes("choose") if scenes else PictureSet("none", (), frozenset())
        real_sets = [sets.rooms(), *sets.kept_from_training().values()]
        evidence = chooser.gather(
            model.names,
            (real, eye.look(model, frames_of(real))),
            (rendered, eye.look(model, frames_of(rendered))),
            {name: sum(one.count(name) for one in real_sets) for name in model.names},
        )
        point, figures = chooser.decide(evidence)
        content = chooser.document(point, figures, model.sha256)
        target = out or manifest.with_name(operating_point.NAME)
        operating_point.write(content, target)
        if out is None:
            operating_point.adopt(content, manifest)
    if as_json:
        typer.echo(json.dumps(content))
        return
    _show_choice(content, str(target))


def _show_choice(content: dict[str, Any], title: str) -> None:
    table = Table(title=title)
    heads = ("class", "chosen on", "real", "rendered", "threshold", "raw", "scale", "offset")
    tail = (
        "finds",
        "precision",
        "bound",
        "recall",
        "real: wrong",
        "recall",
        "rendered: wrong",
        "remarks",
    )
    for column in (*heads, *tail):
        words = column in ("class", "chosen on", "remarks")
        table.add_column(column, justify="left" if words else "right")
    for name, f in content["evidence"].items():
        remarks = ["not verified on real pictures"] if name in content["unverified"] else []
        remarks += [] if f["reached"] else [f"precision below {content['rule']['precision']}"]
        curve = content["calibration"][name]
        numbers = (content["thresholds"][name], f["raw_threshold"], curve["scale"], curve["offset"])
        shares = (f["precision"], f["precision_bound"], f["recall"])
        table.add_row(
            name,
            f["chosen_on"],
            str(f["labelled_real"]),
            str(f["labelled_rendered"]),
            *(f"{v:.2f}" for v in numbers),
            str(f["finds"]),
            *(_share(v) for v in shares),
            str(f["real_wrong"]),
            _share(f["real_recall"]),
            f"{f['rendered_wrong']} of {f['rendered_finds']}",
            ", ".join(remarks),
        )
    Console().print(table)


def _share(value: float | None) -> str:
    return page.share(math.nan if value is None else value)


@app.command(name="report")
def write_report(
    manifest: ManifestOption = SHIPPED,
    point: Annotated[
        Path | None,
        typer.Option(help="Another operating_point.yaml; default: the manifest."),
    ] = None,
    *,
    scenes: ScenesOption = True,
    as_json: JsonOption = False,
    fresh: FreshOption = False,
) -> None:
    """Measure everything; write tables into models/README.md and pictures beside this package."""
    with _errors():
        model, eye = RawModel(manifest), Eye(BUILD, quiet=as_json, fresh=fresh)
        source = point or manifest
        at = operating_point.read(source, model.names)
        made = report.make(model, _rivals(manifest), model.sha256, at, eye, with_scenes=scenes)
        if as_json:
            typer.echo(json.dumps(plain(made), allow_nan=False))
            return
        plots.draw(made, FIGURES)
        page.put(PAGE, page.write(made))
    means = ", ".join(f"{name} {page.share(c.half_mean)}" for name, c in made.compared.items())
    typer.echo(f"operating point of {source}; report in {PAGE}; mean AP50, report half: {means}")


def _rivals(manifest: Path) -> dict[str, Model]:
    """The model in other numbers, and the COCO detectors."""
    variants = read_yaml(manifest).get("variants") or []
    others = {
        f"{report.MODEL} {v['precision']}": RawModel(manifest, v["precision"]) for v in variants
    }
    return {**others, **{teacher.key: teacher for teacher in teachers.load()}}


@app.command(name="set")
def judge_set(
    which: Annotated[str, typer.Argument(help=f"{WHICH}, or a folder.")] = "rooms",
    manifest: ManifestOption = SHIPPED,
    precision: Annotated[str, typer.Option(help="fp32 or int8.")] = FP32,
    *,
    as_json: JsonOption = False,
    fresh: FreshOption = False,
) -> None:
    """Print average precision, and precision and recall at the thresholds, on one set."""
    with _errors():
        model, eye = RawModel(manifest, precision), Eye(BUILD, quiet=as_json, fresh=fresh)
        at = operating_point.read(manifest, model.names)
        pictures = _named(which)
        seen = measures.see(pictures, eye.look(model, frames_of(pictures)), at)
        rows = {n: measures.figures(j, at.thresholds[n]) for n, j in seen.judged.items()}
        mean = measures.together(seen.judged, at.thresholds).mean_ap50
    if as_json:
        whole = {"set": which, "pictures": len(pictures.pictures), "mean_ap50": mean}
        typer.echo(json.dumps(plain({**whole, "classes": rows}), allow_nan=False))
        return
    table = Table(title=f"{which}: {len(pictures.pictures)} pictures, mean AP50 {mean:.3f}")
    heads = ("class", "labelled", "AP50", "score", "finds", "precision", "recall", "false/pic")
    for column in heads:
        table.add_column(column, justify="left" if column == "class" else "right")
    for name, f in rows.items():
        ends = (f.precision, f.recall, f.false_per_picture)
        begin = (page.share(f.ap50), page.share(at.thresholds[name]), str(f.shown))
        table.add_row(name, str(f.labelled), *begin, *(page.share(v) for v in ends))
    Console().print(table)


@app.command()
def int8(manifest: ManifestOption = SHIPPED, *, fresh: FreshOption = False) -> None:
    """Compare the int8 file with fp32; withdraw it from the manifest if it is worse or slower."""
    with _errors():
        pictures = [sets.half("choose"), sets.half("report"), sets.scenes()]
        verdict = eight_bits.judge(manifest, Eye(BUILD, fresh=fresh), pictures)
    table = Table(title=f"{manifest}: int8 against fp32")
    for column in ("", "fp32", "int8"):
        table.add_column(column, justify="right" if column else "left")
    for name, (whole, eight) in verdict.found.items():
        table.add_row(f"mean AP50, {name}", f"{whole.mean_ap50:.4f}", f"{eight.mean_ap50:.4f}")
        table.add_row(
            "  at the thresholds: precision", *(page.share(t.precision) for t in (whole, eight))
        )
        table.add_row(
            "  at the thresholds: recall", *(page.share(t.recall) for t in (whole, eight))
        )
    table.add_row("ms, one thread", *(f"{ms:.1f}" for ms in verdict.ms))
    Console().print(table)
    if not (verdict.good and verdict.faster):
        eight_bits.withdraw(manifest)
        why = "slower on this CPU" if verdict.good else f"more than {eight_bits.MOST_LOST} worse"
        typer.echo(f"evaluation: int8 is {why}: withdrawn from the manifest", err=True)
        raise typer.Exit(1)


@app.command(name="second-look")
def look_again(
    manifest: ManifestOption = SHIPPED,
    *,
    as_json: JsonOption = False,
    fresh: FreshOption = False,
) -> None:
    """Try whether text in the box makes paper surer; print it, and write it into the page."""
    with _errors():
        model, eye = RawModel(manifest), Eye(BUILD, quiet=as_json, fresh=fresh)
        at = operating_point.read(manifest, model.names)
        read = text_detector.TextDetector(text_detector.find_weights()).read
        chosen, told = (
            _paper_read(which, read, model, at, eye, quiet=as_json)
            for which in ("choose", "report")
        )
        made = second_look.measure(chosen, told)
        shipped = Detector.load(manifest, threads=1, precision=FP32)
        cost = second_look.cost(shipped, read, told, made.best.criterion.side)
        if as_json:
            typer.echo(json.dumps(plain({"look": made, "ms": cost, "ship": made.ship})))
            return
        page.put(PAGE, second_look_page.write(made, cost), page.SECOND_LOOK)
    table = Table(*second_look_page.HEAD, title=f"{manifest}: paper, by score and by text")
    for row in second_look_page.rows(made):
        table.add_row(*row)
    Console().print(table)
    typer.echo(second_look_page.verdict(made, cost))


def _paper_read(
    which: str, read: Read, model: Model, at: OperatingPoint, eye: Eye, *, quiet: bool
) -> second_look.Halves:
    real, rendered = (
        reading.read_set(one, at.detections(eye.look(model, frames_of(one))), read, quiet=quiet)
        for one in (sets.half(which), sets.scenes(which))
    )
    return second_look.Halves(real, rendered)


def _named(which: str) -> PictureSet:
    if which == "rooms":
        return sets.rooms()
    if which in ("choose", "report"):
        return sets.half(which)
    if which == "photographs":
        return sets.photographs()
    if which in ("ceiling", "pens", "sheets"):
        return sets.kept_from_training()[which]
    return sets.scenes() if which == "scenes" else sets.read_set(Path(which).name, Path(which))


if __name__ == "__main__":
    app()
