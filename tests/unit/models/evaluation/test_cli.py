"""The commands, from a set on disk to a file, a table or JSON."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from models.evaluation import sets, text_detector
from models.evaluation.__main__ import app
from models.evaluation.looking import SHIPPED
from tests.unit.models.evaluation.makers import make_set

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sets be small ones, and what was found be kept elsewhere."""
    split = {"choose": ["a.png"], "report": ["b.png"]}
    (tmp_path / "split.json").write_text(json.dumps(split), encoding="utf-8")
    extra = {"categories": [{"id": 2, "name": "paper"}], "annotations": []}
    (tmp_path / "extra.json").write_text(json.dumps(extra), encoding="utf-8")
    monkeypatch.setattr(sets, "ROOMS", make_set(tmp_path / "rooms", ["a.png", "b.png"]))
    monkeypatch.setattr(sets, "SCENES", make_set(tmp_path / "scenes", ["c.png", "d.png"]))
    monkeypatch.setattr(sets, "OFFICES", tmp_path / "rooms")
    monkeypatch.setattr(sets, "PENS", tmp_path / "rooms")
    monkeypatch.setattr(sets, "STATIONERY", tmp_path / "rooms")
    monkeypatch.setattr(sets, "SHEETS", tmp_path / "extra.json")
    monkeypatch.setattr(sets, "PHOTOGRAPHS", tmp_path / "not-fetched")
    monkeypatch.setattr(sets, "SPLIT", tmp_path / "split.json")
    monkeypatch.setattr(sets, "EXTRA", tmp_path / "extra.json")
    monkeypatch.setattr("models.evaluation.__main__.BUILD", tmp_path / "found")


def test_choose_writes_a_threshold_and_a_curve_for_every_class(tmp_path: Path) -> None:
    out = tmp_path / "o.yaml"
    result = RUN.invoke(app, ["choose", "--out", str(out)])
    assert result.exit_code == 0, result.output
    written = yaml.safe_load(out.read_text(encoding="utf-8"))
    manifest = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    assert written["model"] == manifest["sha256"]
    assert set(written["thresholds"]) == set(manifest["classes"]) == set(written["calibration"])
    assert set(written["unverified"]) == set(manifest["classes"])  # two books prove nothing


def test_what_is_chosen_goes_into_the_manifest_unless_it_is_put_elsewhere(tmp_path: Path) -> None:
    weights = SHIPPED.parent / "desk.onnx"
    shutil.copy(weights, tmp_path)
    mine = tmp_path / "manifest.yaml"
    before = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    mine.write_text(yaml.safe_dump(before), encoding="utf-8")
    command = ["choose", "--manifest", str(mine)]
    assert RUN.invoke(app, [*command, "--out", str(tmp_path / "o.yaml")]).exit_code == 0
    assert yaml.safe_load(mine.read_text(encoding="utf-8")) == before
    assert RUN.invoke(app, command).exit_code == 0
    chosen = yaml.safe_load((tmp_path / "operating_point.yaml").read_text(encoding="utf-8"))
    after = yaml.safe_load(mine.read_text(encoding="utf-8"))
    keys = ("thresholds", "calibration", "unverified")
    assert {key: after[key] for key in keys} == {key: chosen[key] for key in keys}
    assert {k: v for k, v in after.items() if k not in keys} == {
        k: v for k, v in before.items() if k not in keys
    }


def test_json_is_for_programs(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["set", str(tmp_path / "rooms"), "--json"])
    report = json.loads(result.stdout)
    assert report["pictures"] == 2
    assert report["classes"]["notebook"]["labelled"] == 2
    assert report["classes"]["notebook"]["recall"] == 0
    assert report["classes"]["notebook"]["precision"] is None


@pytest.mark.parametrize(
    ("which", "pictures"), [("rooms", 2), ("choose", 1), ("scenes", 2), ("sheets", 2)]
)
def test_sets_have_names(which: str, pictures: int) -> None:
    result = RUN.invoke(app, ["set", which, "--json"])
    assert json.loads(result.stdout)["pictures"] == pictures


def test_people_get_a_table() -> None:
    result = RUN.invoke(app, ["set"])
    assert "rooms: 2 pictures" in result.stdout
    assert "notebook" in result.stdout


def test_a_missing_set_ends_with_its_name_and_a_fix(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["set", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "instances.json" in result.output
    assert "models.scenes" in result.output


def test_a_missing_model_ends_with_its_name(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["choose", "--manifest", str(tmp_path / "none.yaml")])
    assert result.exit_code == 2
    assert "none.yaml" in result.output


def test_a_second_look_without_its_weights_ends_with_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_detector, "_PACKAGE", "no_such_package")
    result = RUN.invoke(app, ["second-look"])
    assert result.exit_code == 2
    assert "pip install --no-deps" in result.output
