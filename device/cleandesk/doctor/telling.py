"""What `cleandesk doctor` prints: JSON for programs, and for people first what is wrong."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleandesk.contract.doctor_messages import CheckResult, DoctorCheck
from cleandesk.doctor.visit import Asked, Report

_MARKS = {
    CheckResult.FAILED: Text("failed", style="bold red"),
    CheckResult.NOT_TRIED: Text("not tried", style="yellow"),
    CheckResult.PASSED: Text("passed", style="green"),
}
_ASKED = {
    Asked.BOX: "asked the running box",
    Asked.HERE: "the box does not run; camera and broker were tried from here",
    Asked.BESIDE: "a box runs that cannot be asked",
}


def as_data(report: Report) -> dict[str, object]:
    """Return a report for programs."""
    settings = report.settings
    return {
        "box": f"{settings.site}/{settings.box}",
        "asked": report.asked,
        "ok": report.well,
        "aiming": report.aiming,
        "checks": [check.model_dump(exclude_none=True) for check in report.checks],
    }


def tell(report: Report, console: Console) -> None:
    """Print a report for people."""
    settings = report.settings
    console.print(f"{settings.site}/{settings.box}: {_ASKED[report.asked]}", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("check", "result", "what was found"):
        table.add_column(column, no_wrap=column != "what was found", overflow="fold")
    for check in report.checks:
        table.add_row(Text(check.code), _MARKS[check.result], Text(check.said))
    console.print(table)
    for line in _fixes(report.checks):
        console.print(line)
    if report.aiming:
        console.print(
            f"To see the picture: {report.aiming} (the worker's page; the worker starts it)",
            highlight=False,
            soft_wrap=True,
        )
    counts = {mark: sum(one.result is mark for one in report.checks) for mark in CheckResult}
    console.print(
        ", ".join(f"{count} {mark.value.replace('_', ' ')}" for mark, count in counts.items()),
        highlight=False,
    )


def _fixes(checks: list[DoctorCheck]) -> Iterator[Text]:
    for check in checks:
        if check.result is CheckResult.FAILED:
            yield Text.assemble((check.code, "bold red"), f": {check.fix}")
