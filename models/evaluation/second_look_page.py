"""What the second look at paper brought, for people: the section of the page, and its rows."""

import os
import platform
from pathlib import Path
from typing import Final

from models.evaluation.page import share, table
from models.evaluation.reading import NAME, Criterion
from models.evaluation.second_look import ALONE, LEAST_MORE, SecondLook, Tried
from models.evaluation.text_detector import WHEEL
from models.evaluation.threshold import LEAST_SCORE, WANTED

HEAD: Final = (
    "rule", "text is", "threshold",
    "choose: right of finds", "bound", "recall", "AP50",
    "report: right of finds", "bound", "recall", "AP50",
)  # fmt: skip
_LIMITS: Final = (
    "Two things limit this. The rendered pictures are 512 pixels wide and the real ones 640: the "
    "letters on a sheet a metre away are a pixel or two high in them, and a box that cuts its "
    "finds out of a larger frame may read more. And no photographs of real sheets were read."
)


def write(look: SecondLook, cost: tuple[float, float]) -> str:
    """Everything that was measured, in Markdown.

    Args:
        look: The measurement.
        cost: Milliseconds of a look at a whole picture, and of reading one find.
    """
    parts = [_setting(look), verdict(look, cost), table(HEAD, rows(look)), _why(look), _LIMITS]
    return "\n\n".join(parts)


def _setting(look: SecondLook) -> str:
    (choose, report), (few, many) = look.pictures, look.labelled
    return (
        "## Second look\n"
        "Does text inside the box tell sheets from what is taken for them? Every find of "
        f"{NAME} is cut out, scaled and read by PP-OCRv4's text detector (PaddleOCR, "
        f"Apache-2.0, 4.7 MB, from `{WHEEL}`). What counts as text, and each rule's threshold, are "
        f"chosen on the choose halves of the real rooms and {look.rendered} rendered desks "
        f"({choose} pictures, {few} sheets), as {NAME}'s own threshold is, but for its floor of "
        f".80; the report halves "
        f"({report} pictures, {many} sheets) tell of it. Only the rule that is best on the choose "
        "halves may be shipped, and only if on the report halves it beats the score alone: proves "
        "a precision of "
        f"{share(WANTED)} (lower bound, as for thresholds) that the score alone does not, at no "
        f"less recall, or finds {share(LEAST_MORE)} more of the sheets at no lower bound."
    )


def verdict(look: SecondLook, cost: tuple[float, float]) -> str:
    """Say in a paragraph whether it is worth it, with the figures and the machine."""
    best, alone = look.best, look.alone
    told, before = best.told, alone.told
    ms, second = cost
    return (
        f"**{'Worth shipping' if look.ship else 'Not shipped'}.** Best on the choose halves is "
        f"*{best.name}*: there its bound is {share(best.chosen.bound)} at a recall of "
        f"{share(best.chosen.recall)}, that of the score alone {share(alone.chosen.bound)} at "
        f"{share(alone.chosen.recall)}. On the report halves {told.right} of its {told.shown} "
        f"finds are right (bound {share(told.bound)}, recall {share(told.recall)}); of the score "
        f"alone {before.right} of {before.shown} (bound {share(before.bound)}, recall "
        f"{share(before.recall)}). Reading one find takes {second:.0f} ms, a whole look of the "
        f"model {ms:.0f} ms (medians, in turns, one thread of a {machine()}); "
        f"{look.a_picture:.1f} finds a picture score {share(LEAST_SCORE)} or more and would be "
        "read."
    )


def rows(look: SecondLook) -> list[list[str]]:
    """A row a rule, cells as in `HEAD`."""
    return [_row(tried) for tried in look.tried]


def _row(tried: Tried) -> list[str]:
    cells = []
    for half in (tried.chosen, tried.told):
        shares = (half.bound, half.recall, half.ap50)
        cells += [f"{half.right} of {half.shown}", *(share(v) for v in shares)]
    text = "-" if tried.name == ALONE else _words(tried.criterion)
    return [tried.name, text, share(tried.threshold), *cells]


def _words(criterion: Criterion) -> str:
    lines = f"{criterion.lines} line{'s' if criterion.lines > 1 else ''} at {criterion.side} pixels"
    return f"{lines}, {share(criterion.share)} of the box" if criterion.share else lines


def _why(look: SecondLook) -> str:
    counts = [[true, str(n), str(k), share(k / n)] for true, (n, k) in look.truly.items()]
    return (
        f"What the finds of the report halves truly are, from a score of {share(LEAST_SCORE)} on, "
        f"and how many of them have text ({_words(look.best.criterion)}):\n\n"
        + table(("truly", "finds", "with text", "share"), counts)
    )


def machine() -> str:
    """Name what this runs on, as far as Linux tells."""
    cpu = Path("/proc/cpuinfo")
    virtual = cpu.is_file() and " hypervisor" in cpu.read_text(encoding="utf-8")
    kind = "virtual machine" if virtual else "machine"
    return f"{os.cpu_count()}-core {platform.machine()} {kind}"
