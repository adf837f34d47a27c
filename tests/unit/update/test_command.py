"""What the commands of the updates' units answer."""

import subprocess
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from cleandesk.cli import app
from cleandesk.contract.bundle import UpdateError, rauc
from cleandesk.update.drop import BUNDLE
from cleandesk.update.install import REFUSED, RESULT
from tests.logging_as_it_was import logging_as_it_was


def _install(tmp_path: Path) -> int:
    places = {"--card": "", "--kept": "kept", "--fetched": "fetched", "--mark": "mark"}
    (tmp_path / "kept").mkdir(exist_ok=True)
    options = [word for name, path in places.items() for word in (name, str(tmp_path / path))]
    with logging_as_it_was():
        return CliRunner().invoke(app, ["update", "install", *options]).exit_code


def test_a_card_without_an_update_is_nothing_to_do(tmp_path: Path) -> None:
    assert _install(tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_what_is_no_bundle_is_refused_and_no_start_follows(tmp_path: Path) -> None:
    (tmp_path / BUNDLE).write_bytes(b"a letter")
    assert _install(tmp_path) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"kept", REFUSED, RESULT}
    assert (tmp_path / RESULT).read_text().startswith("refused: ")


@pytest.mark.parametrize(
    ("out", "err", "why"),
    [
        ("10% Copying\nLastError: Failed: bad block\n", "Installing `x` failed\n", "bad block"),
        ("", "one\ntwo\n\nthree\nfour\n", "two / three / four"),
        ("", "rauc-Message: 14:41: Reading bundle: x\nbad signature\n", "^bad signature$"),
        ("", "", "ended with 1"),
    ],
)
def test_raucs_own_reason_is_told(out: str, err: str, why: str) -> None:
    done = subprocess.CompletedProcess([], 1, out, err)
    with (
        mock.patch.object(subprocess, "run", return_value=done),
        pytest.raises(UpdateError, match=why),
    ):
        rauc(["install", "x"])
