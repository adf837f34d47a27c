"""The command line and a model that is not what its manifest says, for the tests of both."""

import sys
from pathlib import Path

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
    weights = read_manifest(default_manifest()).file.read_bytes()
    (folder / manifest["file"]).write_bytes(weights[:-1])
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return path
