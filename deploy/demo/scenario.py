"""What the demo's box looks for, and the files that tell box and subscriber so."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

SITE, BOX = "demo", "desk-1"
#: What the demo forbids on a desk, and how much it matters.
FORBIDDEN = {
    "phone": "high",
    "paper": "high",
    "pen": "low",
}
DWELL_S = 3.0
CLEAR_AFTER_S = 3.0
LOOKS_PER_S = 5.0
WHOLE_PICTURE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]


class FolderError(Exception):
    """The demo's folder is not the demo's."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the demo keeps its things."""

    folder: Path

    def make_room(self) -> None:
        """Make the folder, or remove an earlier demo's things from it.

        Raises:
            FolderError: If it holds things and no demo's settings: they are somebody's.
        """
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.box.exists() and self.subscriber.exists()):
                raise FolderError(f"{self.folder} holds other things: name an empty folder")
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def box(self) -> Path:
        """The box's settings."""
        return self.folder / "box.yaml"

    @property
    def subscriber(self) -> Path:
        """The subscriber's settings."""
        return self.folder / "subscriber.yaml"

    @property
    def log(self) -> Path:
        """The subscriber's database."""
        return self.folder / "log.db"


def rules() -> list[dict[str, object]]:
    """Return one presence rule for each forbidden class."""
    return [
        {
            "name": f"no-{name}",
            "kind": "presence",
            "classes": [name],
            "zone": "desk",
            "severity": severity,
            "dwell_s": DWELL_S,
            "clear_after_s": CLEAR_AFTER_S,
        }
        for name, severity in FORBIDDEN.items()
    ]


def write(
    files: Files,
    *,
    source: str,
    starts_at: datetime | None,
    port: int,
    polygon: Sequence[Sequence[float]] = WHOLE_PICTURE,
) -> None:
    """Write both settings files.

    Args:
        files: Where to.
        source: A camera source as in the box's settings.
        starts_at: The moment of a recording's first frame; None for a camera.
        port: The broker's, on loopback.
        polygon: The desk zone, fractions of the picture.
    """
    broker = {"host": "127.0.0.1", "port": port, "retry_min_s": 0.2, "retry_max_s": 2.0}
    camera: dict[str, object] = {"source": source}
    if starts_at is not None:
        camera |= {"realtime": False, "starts_at": starts_at.isoformat()}
    _dump(
        files.box,
        {
            "schema": 1,
            "site": SITE,
            "box": BOX,
            "camera": camera,
            "looks_per_s": LOOKS_PER_S,
            "zones": {"desk": {"polygon": [list(point) for point in polygon]}},
            "rules": rules(),
            "broker": broker,
            "outbox": {"path": "outbox.db"},
            "health_every_s": 5,
        },
    )
    _dump(files.subscriber, {"schema": 1, "broker": broker, "store": {"path": files.log.name}})


def _dump(path: Path, settings: dict[str, object]) -> None:
    path.touch(mode=0o600)  # a camera's address may hold its password
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
