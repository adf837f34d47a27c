"""A model is tried on the picture that came with it, in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cleandesk.detector import default_manifest
from cleandesk.model.trying import TryError, look, try_out
from tests.signed_models import a_model

SHIPPED = default_manifest()


def with_answers(folder: Path, **changes: Any) -> Path:
    path = folder / "selftest.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))
    return folder / "manifest.yaml"


def why(manifest: Path) -> str:
    with pytest.raises(TryError) as caught:
        look(manifest, SHIPPED, threads=1, precision="fp32")
    return str(caught.value)


def test_the_shipped_model_sees_what_it_must_in_both_its_forms(tmp_path: Path) -> None:
    manifest = a_model(tmp_path / "m", "1.0") / "manifest.yaml"
    assert try_out(manifest, manifest, threads=1, precision="auto").look_s > 0
    took = look(manifest, manifest, threads=1, precision="int8")
    assert took.look_s > 0
    assert took.times > 0


def test_one_that_cannot_be_loaded_says_why_from_its_own_process(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m", "1.0", weights=b"none")
    with pytest.raises(TryError, match="onnxruntime cannot load it"):
        try_out(folder / "manifest.yaml", SHIPPED, threads=1, precision="fp32")


def test_a_process_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    manifest = tmp_path / "manifest.yaml"
    with pytest.raises(TryError, match="crashed the process"):
        try_out(manifest, manifest, threads=1, precision="fp32")
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-such-program"))
    with pytest.raises(TryError, match="crashed the process"):
        try_out(manifest, manifest, threads=1, precision="fp32")


def test_it_goes_before_the_box_where_the_memory_runs_out() -> None:
    code = (
        "from cleandesk.model import trying; "
        "trying.look = lambda *_, **__: print(open('/proc/self/oom_score_adj').read()) or exit(); "
        "trying.main(['m', 'm', '1', 'fp32'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1000"]


def test_one_that_sees_something_else_is_refused(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m", "1.0")
    keyboard, phone = yaml.safe_load((folder / "selftest.yaml").read_text())["things"]
    moved = [keyboard, phone | {"box": [0, 0, 40, 40]}]
    assert "does not see the phone" in why(with_answers(folder, things=moved))
    assert "does not see the phone" in why(with_answers(folder, things=[phone, phone]))
    unknown = [phone | {"class": "dragon"}]
    assert "does not see the dragon" in why(with_answers(folder, things=unknown))


def test_a_thing_that_is_not_there_must_not_be_seen(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m", "1.0", thresholds={"phone": 0.001}, threshold=0.9)
    (phone,) = yaml.safe_load((folder / "selftest.yaml").read_text())["things"][1:]
    assert "sees a phone" in why(with_answers(folder, things=[phone]))


def test_a_picture_that_is_none_and_one_that_is_gone_are_told(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m", "1.0")
    (folder / "selftest.jpg").write_bytes(np.zeros(9, np.uint8).tobytes())
    assert "no picture" in why(folder / "manifest.yaml")
    (folder / "selftest.jpg").unlink()
    assert "selftest.jpg" in why(folder / "manifest.yaml")
    (folder / "selftest.yaml").unlink()
    assert "selftest.yaml" in why(folder / "manifest.yaml")
