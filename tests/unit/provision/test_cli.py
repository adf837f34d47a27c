"""The command line: what it does twice, what it says, and with which code it ends."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cleandesk.config import load
from cleandesk.settings import BoxSettings
from cleandesk_fleet.provision import cli, pki
from tests.logging_as_it_was import logging_as_it_was
from tests.unit.provision.conftest import PASSPHRASE, request
from tests.unit.provision.test_targets import fat, needs_mtools

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    config: Path, ready: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command of a fleet whose authorities are there: (exit code, stdout, stderr)."""
    shutil.copytree(ready, config.parent / "ca")
    monkeypatch.setenv("CLEANDESK_PROVISION", str(config))
    monkeypatch.setenv("CLEANDESK_PASSPHRASE", PASSPHRASE)

    def main(*arguments: object) -> tuple[int, str, str]:
        with logging_as_it_was(), pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    code, _, err = main("ca", "init")
    assert code == 0, err
    return main


@pytest.fixture
def said(run: Run) -> Callable[..., Any]:
    """Run a command that ends well; returns its JSON object."""

    def main(*arguments: object) -> Any:
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return main


def files(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "provision.db" not in path.name
    }


def test_everything_twice_is_once(run: Run, said: Callable[..., Any], config: Path) -> None:
    home = config.parent
    commands = [
        ("ca", "init"),
        ("broker",),
        ("site", "add", "s1"),
        ("box", "new", "s1/b1"),
        ("box", "new", "s1", "--count", 3),
        ("operator", "add", "sub", "--role", "subscriber", "--out", home / "sub"),
    ]
    for command in commands:
        assert run(*command)[0] == 0
    before, tables = files(home), [said("list", what) for what in ("boxes", "certificates")]
    for command in commands:
        assert run(*command)[0] == 0
    assert files(home) == before
    assert [said("list", what) for what in ("boxes", "certificates")] == tables


def test_dry_run_keeps_and_writes_nothing(
    run: Run, said: Callable[..., Any], config: Path, tmp_path: Path
) -> None:
    run("site", "add", "s1")
    run("box", "new", "s1/b1")
    run("box", "new", "s1/b2")
    (tmp_path / "csr.pem").write_bytes(request(pki.new_key(), "s1/b2"))
    run("sign", "s1/b2", tmp_path / "csr.pem", "--out", tmp_path / "b2.pem")
    (tmp_path / "csr.pem").write_bytes(request(pki.new_key()))
    before, trail = files(config.parent), said("list", "audit")
    for command in [
        ("site", "add", "s2"),
        ("box", "new", "s1/b3"),
        ("box", "new", "s1", "--count", 2),
        ("box", "new", "s1/b1", "--again"),
        ("broker",),
        ("operator", "add", "sub", "--role", "subscriber", "--out", config.parent / "sub"),
        ("rotate", "s1/b2"),
        ("revoke", "s1/b1"),
        ("decommission", "s1/b1"),
        ("sign", "s1/b1", tmp_path / "csr.pem", "--out", tmp_path / "box.pem"),
        ("crl",),
    ]:
        assert said(*command, "--dry-run")["dry_run"] is True
    assert files(config.parent) == before
    assert said("list", "audit") == trail


def test_many_boxes_are_made_at_once_with_a_sheet_of_labels(said: Callable[..., Any]) -> None:
    said("site", "add", "s1")
    made = said("box", "new", "s1", "--count", 5, "--prefix", "floor-2")
    assert [one["box"] for one in made["boxes"]] == [f"s1/floor-2-{n:03}" for n in range(1, 6)]
    assert Path(made["labels"]).read_bytes().startswith(b"%PDF-")
    more = said("box", "new", "s1", "--count", 6, "--prefix", "floor-2")
    assert [one["made"] for one in more["boxes"]] == [False] * 5 + [True]
    claims = [Path(one["folder"]) / "claim.json" for one in more["boxes"]]
    assert len({json.loads(path.read_text())["token"] for path in claims}) == 6
    assert all(path.stat().st_mode & 0o077 == 0 for path in claims)


@needs_mtools
def test_a_card_holds_what_a_box_needs_and_no_key(
    said: Callable[..., Any], config: Path, tmp_path: Path
) -> None:
    said("site", "add", "s1")
    said("box", "new", "s1/b1")
    image = tmp_path / "card.img"
    fat(image, 0)
    names = said("sd", "s1/b1", image)["files"]
    assert names == ["ca.pem", "claim.json", "cleandesk.yaml", "enrolment.pem", "page-label"]
    subprocess.run(
        ["mcopy", "-s", "-i", image, "::/cleandesk", tmp_path], check=True, capture_output=True
    )
    card = tmp_path / "cleandesk"
    box = load(card / "cleandesk.yaml", BoxSettings)
    assert (box.site, box.box) == ("s1", "b1")
    assert box.broker.tls is not None
    assert box.broker.tls.key == card / "identity" / "box.pem"
    assert (card / "page-label").read_text().startswith("scrypt$")
    assert json.loads((card / "claim.json").read_text())["service"] == "https://localhost:8443"
    assert all(b"PRIVATE KEY" not in path.read_bytes() for path in card.iterdir())
    ca = config.parent / "ca"
    assert (card / "enrolment.pem").read_bytes() == (ca / "enrolment.pem").read_bytes()
    assert (card / "ca.pem").read_bytes() == (ca / "root.pem").read_bytes()


def test_a_request_is_signed_by_hand_once(said: Callable[..., Any], tmp_path: Path) -> None:
    said("site", "add", "s1")
    said("box", "new", "s1/b1")
    asked, out = tmp_path / "csr.pem", tmp_path / "box.pem"
    asked.write_bytes(request(pki.new_key()))
    assert said("sign", "s1/b1", asked, "--out", out)["made"] is True
    first = out.read_bytes()
    assert said("sign", "s1/b1", asked, "--out", out)["made"] is False
    assert out.read_bytes() == first
    assert said("list")["boxes"][0]["state"] == "enrolled"


def test_each_failure_has_its_code_and_says_the_fix(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("leftovers", "asking"):
        monkeypatch.setattr(f"cleandesk_fleet.provision.{module}.PATIENCE_S", 0.2)
    run("site", "add", "s1")
    run("box", "new", "s1/b1")
    run("broker")
    out = config.parent / "x"
    run("operator", "add", "anna", "--role", "ops", "--site", "s1", "--out", out)
    run("box", "new", "s1/b2")
    (tmp_path / "csr.pem").write_bytes(request(pki.new_key(), "s1/b2"))
    run("sign", "s1/b2", tmp_path / "csr.pem", "--out", tmp_path / "b2.pem")
    (tmp_path / "csr.pem").write_bytes(request(pki.new_key(), "s1/b9"))
    sign = ("sign", "s1/b1", tmp_path / "csr.pem", "--out", tmp_path / "x.pem")
    cases: list[tuple[int, str, tuple[object, ...]]] = [
        (2, "write <site>/<box>", ("box", "new", "b1")),
        (2, "site 'S1'", ("site", "add", "S1")),
        (2, "given by --site", ("operator", "add", "x", "--role", "ops", "--out", out)),
        (3, "site add s9", ("box", "new", "s9/b1")),
        (3, "site add s7", ("operator", "add", "x", "--role", "ops", "--site", "s7", "--out", out)),
        (2, "is no name", ("operator", "add", "X", "--role", "subscriber", "--out", out)),
        (3, "box new", ("revoke", "s1/b9")),
        (3, "list", ("revoke", "nobody")),
        (3, "box new s1/b9", ("sd", "s1/b9", tmp_path)),
        (4, "another name", ("operator", "add", "anna", "--role", "subscriber", "--out", out)),
        (6, "no mount point", ("sd", "s1/b1", tmp_path)),
        (4, "makes its first key by itself", ("rotate", "s1/b1")),
        (3, "box new", ("rotate", "s1/b9")),
        (3, "box new", ("verify", "s1/b9")),
        (7, "does not take the administrator", ("rotate", "s1/b2")),
        (7, "does not answer the administrator", ("decommission", "s1/b1")),
        (8, "check the box's settings", sign),
    ]
    for code, text, command in cases:
        ended, _, err = run(*command)
        assert (ended, text in err) == (code, True), f"{command}: {ended}: {err}"
    monkeypatch.setenv("CLEANDESK_PASSPHRASE", "another passphrase")
    assert run("crl")[0] == 5
    monkeypatch.delenv("CLEANDESK_PASSPHRASE")
    ended, _, err = run("crl")
    assert (ended, "--passphrase-file" in err) == (5, True)


def test_a_short_passphrase_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANDESK_PASSPHRASE", "short")
    ended, _, err = run("ca", "init")
    assert (ended, "12 or more" in err) == (5, True)


def test_no_secret_stands_in_the_output(run: Run, config: Path) -> None:
    run("site", "add", "s1")
    _, out, err = run("box", "new", "s1/b1", "--json")
    token = json.loads((config.parent / "cards" / "s1" / "b1" / "claim.json").read_text())["token"]
    _, trail, _ = run("list", "audit", "--json")
    for text in (out, err, trail):
        assert token not in text
        assert PASSPHRASE not in text


def test_wrong_settings_are_told_with_their_line(run: Run, config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(settings | {"claim_hour": 3}))
    ended, _, err = run("list")
    assert ended == 2
    assert "did you mean 'claim_hours'" in err


def test_the_trail_is_shown_to_people(run: Run) -> None:
    run("site", "add", "s1")
    code, out, _ = run("list", "audit")
    assert code == 0
    assert "site added" in out


def every_command(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for part, one in below.items():
        yield from every_command(one, f"{name} {part}".strip())


def test_the_help_is_the_reference() -> None:
    commands = dict(every_command(typer.main.get_command(cli.app)))
    boxes = {"box new", "sd", "sign", "rotate", "revoke", "decommission", "list"}
    boxes |= {"verify"}
    assert {
        "ca init",
        "site add",
        "operator add",
        "broker",
        "serve",
        "answer",
        "crl",
    } | boxes == set(commands)
    for name, command in commands.items():
        assert command.help, name
        assert all(parameter.help for parameter in command.params), name


def test_a_box_whose_making_was_cut_off_is_made_by_the_next_call(
    said: Callable[..., Any], config: Path
) -> None:
    said("site", "add", "s1")
    said("box", "new", "s1/b1")
    claim = config.parent / "cards" / "s1" / "b1" / "claim.json"
    before = claim.read_bytes()
    claim.unlink()
    assert said("box", "new", "s1/b1")["boxes"][0]["made"] is True
    assert claim.read_bytes() != before
