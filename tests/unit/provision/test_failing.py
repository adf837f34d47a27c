"""How the command line fails: with which code, which word, and which fix."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.errors import ProvisionError
from tests.unit.provision.conftest import Run, request

#: By exit code, for programs: none may change.
WORDS = {
    1: "failed",
    2: "usage",
    3: "unknown_name",
    4: "conflict",
    5: "locked",
    6: "unsafe_target",
    7: "broker",
    8: "refused",
    9: "offline",
    10: "box",
}


def test_kinds_of_failures_keep_their_codes_and_words() -> None:
    kinds: list[type[ProvisionError]] = [ProvisionError, *ProvisionError.__subclasses__()]
    assert {kind.code: kind.word for kind in kinds if "code" in vars(kind)} == WORDS


@pytest.mark.parametrize(
    "command",
    [
        ("list", "nonsense"),
        ("box", "new"),
        ("box", "new", "s1", "--count", "1000"),
        ("no-such-command",),
        ("list", "--no-such-option"),
    ],
)
def test_a_wrong_command_line_is_told_programs_as_json(run: Run, command: tuple[str, ...]) -> None:
    ended, out, err = run(*command, "--json")
    told = json.loads(out)
    assert (ended, told["error"], told["fix"], err) == (2, "usage", "see --help", "")


def test_wrong_settings_are_told_programs_with_each_problem(run: Run, config: Path) -> None:
    config.write_text("schema: 1\nclaim_hour: 3\nbox_days: x\n")
    ended, out, _ = run("list", "--json")
    told = json.loads(out)
    assert (ended, told["error"]) == (2, "usage")
    assert [one["line"] for one in told["problems"]] == [2, 3]


def test_a_key_of_the_door_that_cannot_be_read_is_told(run: Run, config: Path) -> None:
    run("site", "add", "s1")
    run("box", "new", "s1/b1")
    (config.parent / "ca" / "door.key").write_text("no key")
    ended, _, err = run("decommission", "s1/b1")
    assert (ended, "door.key" in err, "Traceback" in err) == (5, True, False)


def test_a_state_that_another_command_holds_is_told_without_what_would_be_written(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("site", "add", "s1")
    monkeypatch.setattr("cleandesk_fleet.provision.database._BUSY_S", 0.01)
    with closing(sqlite3.connect(config.parent / "provision.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        ended, _, err = run("box", "new", "s1/b1")
    assert (ended, "database is locked" in err) == (1, True)
    assert not any(word in err for word in ("INSERT", "scrypt", "SQL"))


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
        ended, said, err = run(*command, "--json")
        told = json.loads(said)
        assert (ended, told["error"], err) == (code, WORDS[code], "")
        assert text in f"{told['reason']}: {told['fix']}"
    monkeypatch.setenv("CLEANDESK_PASSPHRASE", "another passphrase")
    assert run("crl")[0] == 5
    monkeypatch.delenv("CLEANDESK_PASSPHRASE")
    ended, _, err = run("crl")
    assert (ended, "--passphrase-file" in err) == (5, True)


def test_a_short_passphrase_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEANDESK_PASSPHRASE", "short")
    ended, _, err = run("ca", "init")
    assert (ended, "12 or more" in err) == (5, True)


def test_wrong_settings_are_told_with_their_line(run: Run, config: Path) -> None:
    settings = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(settings | {"claim_hour": 3}))
    ended, _, err = run("list")
    assert ended == 2
    assert "did you mean 'claim_hours'" in err
