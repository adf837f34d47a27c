"""The command `cleandesk bench`, once its options are read."""

import json
import signal
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cleandesk.bench import chart
from cleandesk.bench.errors import BenchError
from cleandesk.bench.figures import Collected, to_json
from cleandesk.bench.plan import Plan
from cleandesk.bench.report import report
from cleandesk.bench.run import run

_TERMINATED = 128 + signal.SIGTERM


def bench(plan: Plan, *, as_json: bool, plot: Path | None) -> None:
    """Measure, showing how far it is on standard error, and print the figures.

    Args:
        plan: What to measure.
        as_json: Print one JSON object, and the tables on standard error.
        plot: Where a picture of the figures goes; None: nowhere.

    Raises:
        BenchError: If something cannot be measured, or the picture not written.
        ConfigError: If the settings cannot be used.
        ModelError: If the model cannot be used.
    """
    # So that broker and box do not outlive a measurement that was asked to end.
    signal.signal(signal.SIGTERM, _end)
    collected = _with_progress(plan)
    if plot is not None:
        try:
            chart.write(collected, plot)
        except OSError as error:
            raise BenchError(
                f"{plot}: the picture cannot be written ({error.strerror}); name another place"
            ) from error
    Console(stderr=as_json).print(report(collected))
    if as_json:
        print(json.dumps(to_json(collected)))  # noqa: T201 - it is what was asked for


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(_TERMINATED)


def _with_progress(plan: Plan) -> Collected:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("looking through the clip", total=None)

        def tell(step: str, done: int, total: int) -> None:
            shown.update(task, description=step, completed=min(done, total), total=total)

        return run(plan, tell)
