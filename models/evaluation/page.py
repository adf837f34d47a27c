"""The report for people: tables in Markdown, between two marks of a page."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from models.evaluation.footage import LOOK_S
from models.evaluation.report import OnSet, Report
from models.evaluation.sets import EvaluationError
from models.evaluation.teachers import DESK

BEGIN: Final = "<!-- evaluation: written by `make evaluate`, do not edit -->"
END: Final = "<!-- evaluation: end -->"
#: Where the second look stands, which is measured apart.
SECOND_LOOK: Final = (
    "<!-- second look: written by `make evaluate`, do not edit -->",
    "<!-- second look: end -->",
)
_MOST_MISTAKES: Final = 15
_KEY: Final = (
    "`-`: nothing to measure. A find is right if it overlaps a thing of its class by IoU .5."
)
_UNKNOWN: Final = (
    "### What could not be measured\n"
    "There was no footage of a fixed camera over one table, and of real sheets on tables a few "
    "photographs, each of one sheet from close by; little above says how the model does on them."
)


def put(path: Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between two marks of a page.

    Raises:
        EvaluationError: If the marks are not there.
    """
    begin, end = marks
    page = path.read_text(encoding="utf-8")
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise EvaluationError(
            f"{path}: the report's place is not marked; put these two lines where it shall stand:\n"
            f"{begin}\n{end}"
        )
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    path.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")


def share(value: float) -> str:
    """Two digits, or a dash for what was not measured."""
    if math.isnan(value):
        return "-"
    return f"{value:.2f}".removeprefix("0")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(report: Report) -> str:
    """Everything that was measured, in Markdown."""
    sections = [
        f"Of the weights `{report.sha256[:12]}`. {_KEY}",
        _compared(report),
        _classes(report.rooms, report),
        *([_classes(report.scenes, report)] if report.scenes else []),
        _kept(report),
        _sizes(report.rooms),
        _reliability(report),
        *(_mistakes(on) for on in (report.rooms, report.scenes) if on),
        *([_lookalikes(report.scenes)] if report.scenes else []),
        f"![Confusion: {(report.scenes or report.rooms).title}](evaluation/figures/confusion.png)",
        _alarms(report),
        _light(report),
        _skin(report),
        _UNKNOWN,
    ]
    return "\n\n".join(sections)


def _compared(report: Report) -> str:
    models = list(report.compared)
    head = ["class", *(f"{m}, half" for m in models), *(f"{m}, all" for m in models)]
    rows = []
    for name in DESK:
        halves = [share(report.compared[m].half.get(name, math.nan)) for m in models]
        wholes = [share(report.compared[m].whole.get(name, math.nan)) for m in models]
        rows.append([name, *halves, *wholes])
    halves = [f"**{share(report.compared[m].half_mean)}**" for m in models]
    wholes = [f"**{share(report.compared[m].whole_mean)}**" for m in models]
    rows.append(["**mean**", *halves, *wholes])
    return (
        "### Beside the COCO detectors\n"
        f"AP50 on {report.rooms.pictures} real rooms (the report half of `coco_desk_dev`) and on "
        "all of them, by COCO's labels alone. Calibration and thresholds come from the other half, "
        "and do not change AP; a class that a model does not know counts as 0 in its mean.\n\n"
        f"{table(head, rows)}\n\n![AP50 by class](evaluation/figures/average_precision.png)"
    )


def _classes(on: OnSet, report: Report) -> str:
    head = (
        "class", "labelled", "AP50", "threshold", "finds", "precision", "recall", "false a picture"
    )  # fmt: skip
    rows = []
    for name, f in on.classes.items():
        mark = "\\*" if name in report.point.unverified else ""
        cells = (f.precision, f.recall, f.false_per_picture)
        threshold = share(report.point.thresholds[name])
        rows.append(
            [f"{name}{mark}", str(f.labelled), share(f.ap50), threshold, str(f.shown)]
            + [share(v) for v in cells]
        )
    a = on.all
    rows.append(
        ["**together**", "", share(a.mean_ap50), "", "", share(a.precision), share(a.recall), ""]
    )
    starred = "\n\n\\* not verified on real pictures." if report.point.unverified else ""
    return f"### At the operating point: {on.title}\n{table(head, rows)}{starred}"


def _kept(report: Report) -> str:
    head = ("source", "class", "labelled", "AP50", "finds", "precision", "recall")
    rows = [
        [source, name, str(f.labelled), share(f.ap50), str(f.shown), *map(share, ends)]
        for source, classes in report.kept.items()
        for name, f in classes.items()
        for ends in [(f.precision, f.recall)]
    ]
    return (
        "### Sources whose labels no training saw\n"
        "One camera under an office's ceiling (11 frames, three times each), pens on one bench "
        "(47 pictures, 115 with altered copies), and sheets and notebooks under stationery, from "
        "close by (eleven of the sheets lie on one table; its pens were trained on once, its "
        "sheets never). With `make photographs` also sixteen photographs: fourteen of one sheet "
        "or till slip each, from close by (a pad, a banknote and what looks in at the edge count "
        "for nothing). Only what they label and the branch learns.\n\n"
        f"{table(head, rows)}"
    )


def _sizes(on: OnSet) -> str:
    sizes = ("small", "medium", "large")
    head = ["class", *(f"{what}, {s}" for s in sizes for what in ("things", "precision", "recall"))]
    rows = []
    for name, by in on.sizes.items():
        cells = [
            cell
            for s in sizes
            for cell in (str(by[s].labelled), share(by[s].precision), share(by[s].recall))
        ]
        rows.append([name, *cells])
    return (
        f"### By size: {on.title}\n"
        "Small is less than 32x32 pixels of a 640-pixel picture, large at least 96x96.\n\n"
        + table(head, rows)
    )


def _reliability(report: Report) -> str:
    rows = [
        [on.title, f"{on.before.error:.3f}", f"{on.after.error:.3f}"]
        for on in (report.rooms, report.scenes)
        if on
    ]
    head = ("set", "raw", "calibrated")
    return (
        "### Do scores mean what they say?\nExpected calibration error of all finds from .1 on.\n\n"
        f"{table(head, rows)}\n\n![Reliability](evaluation/figures/reliability.png)"
    )


def _mistakes(on: OnSet) -> str:
    wrong = on.confusion.wrong()
    rows = [[said, true, str(n)] for said, true, n in wrong[:_MOST_MISTAKES]]
    shown = sum(on.confusion.said.values())
    text = (
        f"### Mistakes: {on.title}\n{shown} finds reach their threshold, "
        f"{sum(n for _, _, n in wrong)} are wrong"
    )
    if len(wrong) > _MOST_MISTAKES:
        text += f"; the {_MOST_MISTAKES} most frequent kinds"
    text += f".\n\n{table(('said', 'truly', 'times'), rows)}"
    return text


def _lookalikes(on: OnSet) -> str:
    if not on.confusion.others:
        return "These desks do not tell where their look-alikes lie."
    rows = []
    for name, there in on.confusion.others.most_common():
        taken = on.confusion.taken_for(name)
        total = sum(n for _, n in taken)
        words = ", ".join(f"{said} {n}" for said, n in taken) or "-"
        rows.append([name, str(there), share(total / there), words])
    head = ("look-alike", "there", "finds a thing", "taken for")
    return f"### Look-alikes: {on.title}\n{table(head, rows)}"


def _alarms(report: Report) -> str:
    rows = []
    for a in report.alarms:
        hours = a.seconds / 3600
        finds = ", ".join(f"{n} {c / a.looks:.3f}" for n, c in a.finds.most_common()) or "none"
        opened = ", ".join(f"{n} {c}" for n, c in a.violations.most_common()) or "none"
        total = sum(a.violations.values())
        rate = f"{total / hours:.0f}" if total else f"less than {3 / hours:.0f}"
        rows.append([a.clip, f"{a.seconds:.0f}", finds, opened, rate])
    head = ("footage", "seconds", "false finds a look", "false violations", "an hour")
    return (
        "### False alarms on clean desks\n"
        f"The box's own policy, a look every {LOOK_S:g} s, one presence rule a class (phone, "
        "paper, notebook, sticky note, pen, tablet, card, USB stick, camera, headphones) with its "
        "default dwell, from the thresholds above. Where none opened, the rate is the 95 % bound "
        "(three over the time), which so little footage cannot make small. In the clip of people "
        "a sheet lies on the table, so paper is not judged there.\n\n" + table(head, rows)
    )


def _light(report: Report) -> str:
    sets = list(report.light)
    whats = ("mean AP50", "precision", "recall")
    head = ["light", *(f"{s}: {w}" for s in sets for w in whats)]
    rows = []
    for how in next(iter(report.light.values())):
        cells = []
        for name in sets:
            t = report.light[name][how]
            cells += [share(v) for v in (t.mean_ap50, t.precision, t.recall)]
        rows.append([how, *cells])
    return (
        "### Worse light, worse cameras\nThe same pictures, altered; all classes together.\n\n"
        f"{table(head, rows)}\n\n![Light](evaluation/figures/light.png)"
    )


def _skin(report: Report) -> str:
    rows = [
        [r.name, f"{r.low:.0f}° to {r.high:.0f}°", str(r.persons), share(r.recall)]
        for r in report.skin
    ]
    head = ("skin", "typology angle", "persons", "recall")
    return (
        "### Skin tones\n"
        "Persons of the report half of at least 64 pixels height in whose box's upper part skin is "
        "seen, in thirds by the typology angle of that skin (over 41° counts as light, under 10° "
        "as dark); the share that is found at the operating point.\n\n"
        f"{table(head, rows)}\n\n"
        "Worth little: light and white balance move the angle by more than a third, the search "
        "for skin takes brown walls and hair along and finds dark skin less often, and the thirds "
        "differ in size and crowding. A gap of less than .15 is noise here. Hands were not "
        "measured: no set says whose they are."
    )
