"""`make demo`: run the whole path on a desk and read the subscriber's log back."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cleandesk.camera import public_name
from cleandesk.detector import default_manifest, read_manifest
from demo import report, scenario
from demo.broker import loopback_broker
from demo.outcome import compare
from demo.pictures import draw_all
from demo.processes import DemoError, read_log, run_box, subscriber
from models.scenes.truth import load_truth

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "models" / "demo" / "desk.mp4"
TRUTH = ROOT / "models" / "demo" / "desk.truth.json"
_VIDEOS = {".avi", ".mkv", ".mov", ".mp4", ".webm"}

console = Console()


def main(
    source: Annotated[
        str | None,
        typer.Option(help="/dev/video0, rtsp://…, a video, a folder, picamera2; default: the clip"),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where log, outbox and pictures go; an earlier demo's are removed")
    ] = ROOT / "build" / "demo",
) -> None:
    """Show the whole path: camera, detector, policy, outbox, broker, subscriber, log."""
    files = scenario.Files(folder)
    files.make_room()
    shown = _recording(source)
    starts_at = datetime.now(UTC).replace(microsecond=0) if shown else None
    manifest = read_manifest(default_manifest())
    console.print(report.introduction(public_name(source or str(CLIP.relative_to(ROOT))), manifest))
    with ExitStack() as stack:
        port = stack.enter_context(loopback_broker(folder))
        scenario.write(
            files,
            source=_absolute(source or str(CLIP)),
            starts_at=starts_at,
            port=port,
        )
        stack.enter_context(subscriber(files))
        code = run_box(files)
    logged = read_log(files)
    console.print(report.table(logged, starts_at))
    if shown and starts_at and shown.suffix.lower() in _VIDEOS:
        for path in draw_all(shown, logged, starts_at, folder / "pictures"):
            console.print(f"  {_short(path)}", highlight=False)
    if source is None and starts_at:
        outcome = compare(load_truth(TRUTH), logged, starts_at)
        console.print(report.verdict(outcome))
        code = code or int(not outcome.as_expected)
    if code:
        console.print(f"[red]exit code {code}[/]; what box and subscriber said: {_short(folder)}")
    raise typer.Exit(code)


def _recording(source: str | None) -> Path | None:
    """Return the file or folder that is shown; None for a camera or a stream."""
    path = Path(source) if source else CLIP
    return path if path.is_file() or path.is_dir() else None


def _absolute(source: str) -> str:
    path = Path(source)
    return str(path.resolve()) if path.exists() else source


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _run() -> None:
    try:
        typer.run(main)
    except (DemoError, scenario.FolderError, OSError) as error:
        console.print(f"[red]{error}[/]")
        raise SystemExit(1) from error


if __name__ == "__main__":
    _run()
