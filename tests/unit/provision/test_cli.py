"""The command line: what it does twice, what it says, and with which code it ends."""

import json
import sqlite3
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
from cleandesk_fleet.provision.errors import UsageError
from tests.logging_as_it_was import logging_as_it_was
from tests.unit.provision.conftest import PASSPHRASE, Run, request
from tests.unit.provision.test_targets import fat, needs_mtools


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


def test_no_site_is_called_as_all_of_them_are(run: Run, said: Callable[..., Any]) -> None:
    code, _, err = run("site", "add", "all")
    assert code == UsageError.code
    assert "every site" in err
    assert said("site", "add", "alle")["made"] is True


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


def test_a_dry_run_in_an_empty_folder_leaves_it_empty(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLEANDESK_PASSPHRASE", PASSPHRASE)
    for words in (["ca", "init"], ["site", "add", "s1"]):
        with logging_as_it_was(), pytest.raises(SystemExit) as ended:
            cli.main([*words, "--config", str(config), "--dry-run"])
        assert ended.value.code == 0
        assert "would do" in capsys.readouterr().out
    assert list(config.parent.iterdir()) == [config]


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


def test_a_name_that_is_too_long_for_a_machine_is_refused_to_new_boxes_only(
    run: Run, said: Callable[..., Any], config: Path
) -> None:
    said("site", "add", "s1")
    longest = "b" * 53
    assert said("box", "new", f"s1/{longest}")["boxes"][0]["made"] is True
    for name in ((f"s1/{longest}b",), ("s1", "--count", 2, "--prefix", "b" * 50)):
        code, _, err = run("box", "new", *name)
        assert (code, "shorten the box's name by 1\n" in err) == (2, True), err
    assert len(said("list")["boxes"]) == 1
    with sqlite3.connect(config.parent / "provision.db") as state:
        state.execute("UPDATE boxes SET box = box || 'b'")  # as one from before this rule
    state.close()
    assert said("box", "new", f"s1/{longest}b", "--again")["boxes"][0]["made"] is True


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


def test_no_card_is_written_for_a_service_that_boxes_would_not_believe(
    run: Run, config: Path, tmp_path: Path
) -> None:
    run("site", "add", "s1")
    run("box", "new", "s1/b1")
    settings = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(settings | {"enrolment": {"host": "boxes.example.org"}}))
    image = tmp_path / "card.img"
    image.write_bytes(bytes(100))
    ended, _, err = run("sd", "s1/b1", image)
    assert (ended, "names localhost" in err, "boxes.example.org" in err) == (4, True, True)
    for name in ("enrolment.pem", "enrolment.key"):
        (config.parent / "ca" / name).unlink()
    assert run("ca", "init")[0] == 0
    assert run("sd", "s1/b1", image)[0] == 6  # it comes as far as to the card


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


def test_no_secret_stands_in_the_output(run: Run, config: Path) -> None:
    run("site", "add", "s1")
    _, out, err = run("box", "new", "s1/b1", "--json")
    token = json.loads((config.parent / "cards" / "s1" / "b1" / "claim.json").read_text())["token"]
    _, trail, _ = run("list", "audit", "--json")
    for text in (out, err, trail):
        assert token not in text
        assert PASSPHRASE not in text


def test_the_trail_is_shown_to_people(run: Run) -> None:
    run("site", "add", "s1")
    code, out, _ = run("list", "audit")
    assert code == 0
    assert "site added" in out


@pytest.mark.parametrize(
    ("user", "sudo", "named"),
    [(0, "", "root"), (0, "anna", "anna"), (1234567, "anna", "user 1234567")],
)
def test_the_trail_names_who_acts_and_not_whom_they_call_themselves(
    said: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, user: int, sudo: str, named: str
) -> None:
    monkeypatch.setattr("os.getuid", lambda: user)
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.setenv("SUDO_USER", sudo)
    said("site", "add", "s1")
    assert said("list", "audit")["audit"][-1]["who"] == named


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
    boxes |= {"verify", "model sign", "model publish", "model send", "model rollback"}
    boxes |= {"update publish", "update send", "update status"}
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
