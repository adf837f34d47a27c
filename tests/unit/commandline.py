"""The command line and a model that is not what its manifest says, for the tests of both."""

import sys
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from cleandesk.cli import app
from cleandesk.detector import default_manifest, read_manifest

PROGRAM = [sys.executable, "-c", "from cleandesk.cli import main; main()"]


def cleandesk(*words: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def damaged_model(folder: Path) -> Path:
    """Write our model without its last byte, and return its manifest."""
    manifest = yaml.safe_load(default_manifest().read_text(encoding="utf-8"))
    manifest.pop("variants", None)
    weights = read_manifest(default_manifest()).file.read_bytes()
    (folder / manifest["file"]).write_bytes(weights[:-1])
    return _written(folder, manifest)


def changed_model(folder: Path, **changes: Any) -> Path:
    """Write our model's manifest with some keys changed, and return its path."""
    read = read_manifest(default_manifest())
    return _written(folder, read.model_dump(mode="json", by_alias=True) | changes)


def _written(folder: Path, manifest: dict[str, Any]) -> Path:
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return path
