"""Loading and running the detector leaves no trace of onnxruntime's reporting to its maker."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from tests.rig import ROOT

CODE = """
import numpy as np
from cleandesk.detector import Detector
detector = Detector.load(None, threads=1)
detector.detect(np.zeros((120, 160, 3), np.uint8), min_score=0.5)
"""
#: Variables by which the library itself keeps quiet; a box has none of them.
QUIET = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED", "XDG_CACHE_HOME"}


def test_no_identifier_and_no_session_file_are_written(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in QUIET}
    environment |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", CODE], env=environment, cwd=tmp_path, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_onnxruntime_is_imported_in_one_place() -> None:
    importers = {
        path.name
        for path in (ROOT / "device" / "cleandesk").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and "onnxruntime" in {a.name for a in node.names})
        or (isinstance(node, ast.ImportFrom) and node.module == "onnxruntime")
    }
    assert importers == {"runtime.py"}
