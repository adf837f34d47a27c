"""The command line, on real files: what it prints, where, and its exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cleandesk import __version__
from tests.unit.commandline import PROGRAM, changed_model, cleandesk, damaged_model
from tests.unit.evidence.keys import certificate_of, rsa_key

DEFAULT = Path(__file__).resolve().parents[2] / "device" / "cleandesk.yaml"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = DEFAULT.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = tmp_path / "box.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


# --- the program


def test_the_version_is_the_distributions() -> None:
    done = cleandesk("--version")
    assert (done.exit_code, done.stdout) == (0, f"cleandesk {__version__}\n")


def test_help_names_every_command_and_exit_code() -> None:
    shown = cleandesk("--help").stdout
    for word in ("run", "check", "detect", "69", "75"):
        assert word in shown


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from cleandesk.cli import app; "
        "CliRunner().invoke(app, ['--help']); "
        "print(sorted({'cv2', 'numpy', 'onnxruntime', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["check"],
        ["detect"],
        ["fly"],
        ["detect", "a.jpg", "--score", "2"],
        ["detect", "a.jpg", "--score", "nan"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str]) -> None:
    assert cleandesk(*words).exit_code == 2


# --- check


def test_the_default_settings_are_good() -> None:
    done = cleandesk("check", "--config", DEFAULT)
    assert done.exit_code == 0
    assert "home/desk-1, 2 rules, model desk" in done.stdout
    as_json = cleandesk("check", "--config", DEFAULT, "--json")
    assert json.loads(as_json.stdout) == {"file": str(DEFAULT), "ok": True, "problems": []}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", True),
        ("gpio:\n  button: 17\n", False),
        ("gpio:\n  light: 27\n", True),
    ],
)
def test_a_page_without_a_button_is_good_and_called_unwise(
    tmp_path: Path, more: str, *, told: bool
) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(DEFAULT.read_text(encoding="utf-8") + more, encoding="utf-8")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 0
    assert ("gpio.button: none is named" in done.stderr) is told


def test_the_check_says_in_which_numbers_the_model_runs_and_why(tmp_path: Path) -> None:
    file = changed(tmp_path, "  precision: auto\n", "  precision: fp32\n")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 0
    assert " in fp32 (the settings say so" in done.stdout


def test_numbers_that_the_model_does_not_come_in_are_refused(tmp_path: Path) -> None:
    model = changed_model(tmp_path, variants=[])
    new = f"  precision: int8\n  manifest: {model}\n"
    done = cleandesk("check", "--config", changed(tmp_path, "  precision: auto\n", new))
    assert done.exit_code == 2
    assert "the model has no int8 file; set detector.precision to auto" in done.stderr


def test_a_rule_on_a_class_that_was_never_tried_is_told(tmp_path: Path) -> None:
    model = changed_model(tmp_path, unverified=["paper", "pen"])
    new = f"  precision: auto\n  manifest: {model}\n"
    file = changed(tmp_path, "  precision: auto\n", new)
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 0
    assert done.stderr.count("was never tried") == 1
    assert "rule 'no-paper' uses 'paper', whose threshold was never tried on real" in done.stderr


def test_everything_wrong_is_printed_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text("sitee: home\nbox: B\n", encoding="utf-8")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert done.stdout == ""
    said = done.stderr.splitlines()
    assert said[0] == f"{file}:1: sitee: unknown key; did you mean 'site'?"
    assert said[-2].startswith(f"{file}:2: box: 'B' does not fit; use 1 to 64 of")
    assert any("zones: it is missing" in line for line in said)
    assert said[-1] == f"{len(said) - 1} problems"


def test_problems_are_data_too(tmp_path: Path) -> None:
    file = changed(tmp_path, "site: home", "sitee: home")
    done = cleandesk("check", "--config", file, "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout) == {
        "file": str(file),
        "ok": False,
        "problems": [
            {
                "file": str(file),
                "line": 1 + file.read_text(encoding="utf-8").split("sitee:")[0].count("\n"),
                "key": "sitee",
                "reason": "unknown key",
                "fix": "did you mean 'site'?",
            }
        ],
    }


def test_a_class_that_the_model_does_not_know_is_found(tmp_path: Path) -> None:
    file = changed(tmp_path, "classes: [paper]", "classes: [paper, notebok]")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert re.search(
        r"box\.yaml:\d+: rules\[1\]\.classes\[1\]: the model knows no class 'notebok'; "
        r"did you mean 'notebook'\?",
        done.stderr,
    )


@pytest.mark.parametrize("key", ["min_score", "hold_score"])
def test_a_score_that_the_detector_would_drop_is_found(tmp_path: Path, key: str) -> None:
    file = changed(tmp_path, "classes: [paper] ", f"classes: [paper]\n    {key}: 0.1 ")
    file.write_text(
        file.read_text(encoding="utf-8").replace("  min_score: 0.1\n", "  min_score: 0.15\n"),
        encoding="utf-8",
    )
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert f"rules[1].{key}: scores down to " in done.stderr
    assert "detector.min_score drops what is below 0.15" in done.stderr


def test_a_worker_who_could_never_be_seen_is_found(tmp_path: Path) -> None:
    file = changed(tmp_path, "  # zone: desk  ", "  zone: desk  ")
    file.write_text(
        file.read_text(encoding="utf-8").replace("  min_score: 0.1\n", "  min_score: 0.3\n"),
        encoding="utf-8",
    )
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert "worker.zone: people count as present from a score of 0.25" in done.stderr


def test_files_of_the_connection_must_be_there(tmp_path: Path) -> None:
    file = changed(tmp_path, "  host: localhost\n", "  host: localhost\n  tls: {ca: ca.pem}\n")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert f"broker.tls.ca: there is no file {tmp_path / 'ca.pem'}" in done.stderr


def test_files_of_the_connection_must_be_what_they_are_for(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    file = changed(tmp_path, "  host: localhost\n", "  host: localhost\n  tls: {ca: ca.pem}\n")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert "broker.tls: " in done.stderr
    assert "give the PEM file" in done.stderr


def test_the_certificate_of_stills_must_be_one(tmp_path: Path) -> None:
    (tmp_path / "site.pem").write_text("no certificate", encoding="utf-8")
    text = DEFAULT.read_text(encoding="utf-8").replace("  # encrypt_to:", "  encrypt_to:")
    file = tmp_path / "box.yaml"
    file.write_text(text, encoding="utf-8")
    assert cleandesk("check", "--config", file).exit_code == 0, "stills are off"
    on = text.replace("stills:\n  enabled: false", "stills:\n  enabled: true")
    file.write_text(on, encoding="utf-8")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert "stills.encrypt_to: " in done.stderr
    assert "this is no certificate; give an X.509 certificate" in done.stderr
    certificate_of(tmp_path, "site", rsa_key(2048))
    assert cleandesk("check", "--config", file).exit_code == 0


def test_a_model_that_is_not_there_is_found(tmp_path: Path) -> None:
    file = changed(tmp_path, "  # manifest: models/desk/manifest.yaml\n", "  manifest: m.yaml\n")
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert "detector.manifest" in done.stderr
    assert "there is no such file" in done.stderr


def test_a_damaged_model_is_found_with_the_rest(tmp_path: Path) -> None:
    damaged_model(tmp_path)
    text = DEFAULT.read_text(encoding="utf-8").replace("[phone]", "[fone]")
    file = tmp_path / "box.yaml"
    file.write_text(
        text.replace("  # manifest: models/desk/manifest.yaml\n", "  manifest: manifest.yaml\n"),
        encoding="utf-8",
    )
    done = cleandesk("check", "--config", file)
    assert done.exit_code == 2
    assert "its sha256 is" in done.stderr
    assert "did you mean 'phone'?" in done.stderr
    assert done.stderr.endswith("2 problems\n")


# --- run, as far as it goes without a broker (the rest: tests/system)


def test_run_refuses_wrong_settings_before_it_opens_a_camera(tmp_path: Path) -> None:
    file = changed(tmp_path, "site: home", "sitee: home")
    done = subprocess.run(
        [*PROGRAM, "run", "--config", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "did you mean 'site'?" in done.stderr


def test_run_refuses_a_damaged_model(tmp_path: Path) -> None:
    damaged_model(tmp_path)
    file = changed(
        tmp_path, "  # manifest: models/desk/manifest.yaml\n", "  manifest: manifest.yaml\n"
    )
    done = subprocess.run(
        [*PROGRAM, "run", "--config", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "its sha256 is" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_says_what_is_wrong_with_the_outbox(tmp_path: Path) -> None:
    file = changed(tmp_path, "path: outbox.db", "path: gone/outbox.db")
    done = subprocess.run(
        [*PROGRAM, "run", "--config", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"there is no folder {tmp_path / 'gone'}" in done.stderr
    assert "Traceback" not in done.stderr
