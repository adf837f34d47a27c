"""The command line: settings, the label's hash, the fingerprint, and the off switch."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from cleandesk.config import load
from cleandesk.contract import pin_hash
from cleandesk.page.cli import app
from cleandesk.page.settings import PageSettings, ServingSettings
from tests.unit.page.conftest import LABEL

DEFAULT = Path(__file__).resolve().parents[3] / "device" / "page.yaml"
MAIN = "from cleandesk.page.cli import main; main()"


def program(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def settings(tmp_path: Path, **changes: object) -> Path:
    file = tmp_path / "page.yaml"
    data = {"schema": 1, "box": "desk-1", "state": "state", "label": "label"} | changes
    file.write_text(yaml.safe_dump(data))
    return file


def hash_pin(pin: str) -> Result:
    return CliRunner().invoke(app, ["hash-pin"], input=pin)


def test_the_default_file_loads_and_explains_every_key() -> None:
    shipped = load(DEFAULT, PageSettings)
    assert shipped == PageSettings.model_validate({"schema": 1, "box": "desk-1"})
    assert shipped.address == "https://cleandesk-desk-1.local"
    text = DEFAULT.read_text(encoding="utf-8")
    for model in (PageSettings, ServingSettings):
        for name, field in model.model_fields.items():
            assert field.description, name
            assert f"{field.alias or name}:" in text


def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    file = settings(tmp_path)
    missing = program("check", "--config", file)
    assert missing.returncode == 1
    assert "hash-pin" in missing.stderr
    assert "Traceback" not in missing.stderr
    (tmp_path / "label").write_text(pin_hash.hashed(LABEL))
    good = program("check", "--config", file)
    assert (good.returncode, good.stdout) == (0, f"{file}: good. https://cleandesk-desk-1.local\n")
    wrong = program("check", "--config", settings(tmp_path, pagee={"port": 1}))
    assert wrong.returncode == 2
    assert "did you mean 'page'?" in wrong.stderr


def test_a_page_that_is_off_ends_well_and_opens_nothing(tmp_path: Path) -> None:
    file = settings(tmp_path, page={"enabled": False})
    done = program("run", "--config", file)
    assert done.returncode == 0, done.stderr
    assert "not enabled" in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_port_in_use_is_told_with_the_fix(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415

    (tmp_path / "label").write_text(pin_hash.hashed(LABEL))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        page = {"listen": ["127.0.0.1"], "port": taken.getsockname()[1]}
        done = program("run", "--config", settings(tmp_path, page=page))
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "choose another 'page.port'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_fingerprint_is_made_once_and_printed_alike(tmp_path: Path) -> None:
    file = settings(tmp_path)
    first, second = (program("fingerprint", "--config", file).stdout for _ in range(2))
    assert first == second
    assert len(first.strip().split(":")) == 32


def test_hash_pin_prints_what_the_label_file_holds() -> None:
    done = hash_pin(f"{LABEL}\n")
    assert done.exit_code == 0
    assert LABEL not in done.stdout
    assert pin_hash.fits(LABEL, done.stdout.strip())


@pytest.mark.parametrize("pin", ["", "123456", "12", "abcdef"])
def test_hash_pin_refuses_what_is_easy_to_guess(pin: str) -> None:
    done = hash_pin(f"{pin}\n")
    assert done.exit_code == 2
    assert "drawn by chance" in done.stderr


def test_the_pages_process_loads_nothing_that_sees_or_sends() -> None:
    code = (
        "import sys, cleandesk.page.serve, cleandesk.companion.cli; "
        "print(sorted({'cv2', 'numpy', 'onnxruntime', 'mqtt5', 'cleandesk.link', 'cleandesk.box'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
