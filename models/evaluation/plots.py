"""Pictures of the report, small enough for a repository."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluation.confusion import MISSED
from models.evaluation.report import MODEL, OnSet, Report
from models.evaluation.sets import EvaluationError
from models.evaluation.teachers import DESK

DPI = 90
_ROW_LIMIT = 16


def _pyplot() -> Any:
    try:
        import matplotlib as mpl  # noqa: PLC0415 - only this environment has it
    except ImportError as error:
        raise EvaluationError(
            "matplotlib is missing, and the report's pictures need it: run `make evaluate`, which "
            "uses the training environment"
        ) from error
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    return plt


def draw(report: Report, folder: Path) -> list[Path]:
    """Draw everything into a folder.

    Returns:
        The files.

    Raises:
        EvaluationError: If matplotlib is missing.
    """
    plt = _pyplot()
    folder.mkdir(parents=True, exist_ok=True)
    on_sets = [s for s in (report.rooms, report.scenes) if s]
    figures = {
        "average_precision": _average_precision(plt, report),
        "reliability": _reliability(plt, on_sets),
        "light": _light(plt, report),
        "confusion": _confusion(plt, report.scenes or report.rooms, report.names),
    }
    paths = []
    for name, figure in figures.items():
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=DPI, bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)
        paths.append(path)
    return paths


def _average_precision(plt: Any, report: Report) -> Any:
    figure, axes = plt.subplots(figsize=(9, 3.6))
    wide = 0.8 / len(report.compared)
    for number, (title, row) in enumerate(report.compared.items()):
        heights = [row.half.get(n, 0.0) for n in DESK] + [row.half_mean]
        at = np.arange(len(heights)) + (number - (len(report.compared) - 1) / 2) * wide
        colour = "#1f4e79" if title == MODEL else plt.cm.Oranges(0.3 + 0.2 * number)
        axes.bar(at, np.nan_to_num(heights), wide, label=title, color=colour)
    axes.set_xticks(range(len(DESK) + 1), [*DESK, "mean"], rotation=35, ha="right")
    axes.set_ylabel("AP50, report half")
    axes.set_ylim(0, 1)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _reliability(plt: Any, on_sets: Sequence[OnSet]) -> Any:
    figure, panels = plt.subplots(1, len(on_sets), figsize=(4.2 * len(on_sets), 3.9), squeeze=False)
    for axes, on in zip(panels[0], on_sets, strict=True):
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
        for label, row in (("raw", on.before), ("calibrated", on.after)):
            points = [
                (p, h, n) for p, h, n in zip(row.promised, row.held, row.counts, strict=True) if n
            ]
            if points:
                x, y, n = zip(*points, strict=True)
                line = axes.plot(x, y, label=f"{label}, error {row.error:.3f}")[0]
                axes.scatter(x, y, s=np.sqrt(n) * 4, color=line.get_color())
        axes.set_title(f"{on.title}, {on.pictures} pictures", fontsize=9)
        axes.set_xlabel("score")
        axes.set_ylabel("share of right finds")
        axes.set(xlim=(0, 1), ylim=(0, 1))
        axes.legend(fontsize=8, loc="upper left")
        axes.grid(alpha=0.3)
    return figure


def _light(plt: Any, report: Report) -> Any:
    figure, panels = plt.subplots(
        1, len(report.light), figsize=(4.6 * len(report.light), 3.4), squeeze=False
    )
    for axes, (name, rows) in zip(panels[0], report.light.items(), strict=True):
        at = np.arange(len(rows))
        for offset, what in ((-0.27, "mean_ap50"), (0.0, "precision"), (0.27, "recall")):
            heights = np.nan_to_num([getattr(row, what) for row in rows.values()])
            axes.bar(at + offset, heights, 0.25, label=what.replace("mean_ap50", "mean AP50"))
        axes.set_xticks(at, list(rows), rotation=40, ha="right", fontsize=8)
        axes.set_ylim(0, 1)
        axes.set_title(name, fontsize=9)
        axes.grid(axis="y", alpha=0.3)
    panels[0][0].legend(fontsize=8, loc="upper right", ncols=3, bbox_to_anchor=(1, 1.22))
    return figure


def _confusion(plt: Any, on: OnSet, names: tuple[str, ...]) -> Any:
    rows = [n for n in names if n in on.classes]
    all_columns = on.confusion.columns(rows)
    words = all_columns[-3:]
    columns = [*all_columns[: len(rows)], *all_columns[len(rows) : -3][:_ROW_LIMIT], *words]
    counts = np.array([[on.confusion.said[said, true] for true in columns] for said in rows])
    missed = [[on.confusion.missed[name] for name in rows] + [0] * (len(columns) - len(rows))]
    table = np.concatenate([counts, np.array(missed)]) if rows else np.zeros((1, len(columns)))
    figure, axes = plt.subplots(figsize=(0.36 * len(columns) + 2, 0.34 * len(table) + 2))
    axes.imshow(np.log1p(table), cmap="Blues", aspect="auto")
    limit = math.log1p(float(table.max())) * 0.6
    for (y, x), value in np.ndenumerate(table):
        if value:
            dark = math.log1p(float(value)) > limit
            axes.text(
                x, y, int(value), ha="center", va="center", fontsize=7,
                color="white" if dark else "black",
            )  # fmt: skip
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(table)), [*rows, MISSED], fontsize=8)
    axes.axvline(len(rows) - 0.5, color="grey", linewidth=1)
    axes.axhline(len(rows) - 0.5, color="grey", linewidth=1)
    axes.set_xlabel("what it is")
    axes.set_ylabel("what was said")
    axes.set_title(f"{on.title}, at the operating point", fontsize=9)
    return figure
