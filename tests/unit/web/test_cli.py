"""The page's commands: accounts without default passwords, settings checked before anything."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cleandesk_fleet.subscriber import cli
from cleandesk_fleet.subscriber.database import open_writer
from cleandesk_fleet.web.store import Store
from cleandesk_fleet.web.tables import accounts, audit
from tests.unit.web.conftest import PASSWORD

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    open_writer(tmp_path / "log.db").dispose()
    path = tmp_path / "web.yaml"
    given = {"schema": 1, "url": "https://ops.example.org", "store": {"path": "log.db"}}
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    return path


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def main(*arguments: object, typed: str = "") -> tuple[int, str, str]:
        """Run the program as its entry point does: (exit code, stdout, stderr)."""
        command = ["cleandesk-subscriber", "web", *map(str, arguments), "--config", str(config)]
        monkeypatch.setattr("sys.argv", command)
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return main


def rows(config: Path, table: object) -> list[dict[str, object]]:
    store = Store(config.parent / "log.db")
    with store.reading() as log:
        found = [row._asdict() for row in log.execute(table.select())]  # type: ignore[attr-defined]
    store.close()
    return found


def test_an_account_is_made_listed_changed_and_removed(run: Run, config: Path) -> None:
    added = run("account", "add", "ann", "--role", "viewer", typed=PASSWORD + "\n")
    assert added == (0, "ann may sign in as viewer\n", "")
    assert run("account", "role", "ann", "--role", "admin")[0] == 0
    code, out, _ = run("account", "list")
    assert code == 0
    assert "ann" in out
    assert "admin" in out
    assert run("account", "password", "ann", typed="another fine password\n")[0] == 0
    assert run("account", "remove", "ann")[0] == 0
    assert rows(config, accounts) == []
    trail = rows(config, audit)
    assert [line["action"] for line in trail] == [
        "account_added",
        "role_changed",
        "password_changed",
        "account_removed",
    ]
    assert all(str(line["account"]).startswith("(command line) ") for line in trail)


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("ann", "", "Too short"),
        ("ann", "short", "Too short"),
        ("ann", "aaaaaaaaaaaaaaaa", "different characters"),
        ("ann", "annannann and more", "account's name"),
        ("ann", "x y z " * 30, "Too long"),
        ("Ann!", PASSWORD, "no name for an account"),
    ],
)
def test_there_is_no_weak_and_no_default_password(
    run: Run, config: Path, name: str, password: str, words: str
) -> None:
    code, out, err = run("account", "add", name, "--role", "viewer", typed=password + "\n")
    assert (code, out) == (1, "")
    assert words in err
    assert rows(config, accounts) == rows(config, audit) == []


def test_one_name_is_one_account(run: Run) -> None:
    assert run("account", "add", "ann", "--role", "viewer", typed=PASSWORD + "\n")[0] == 0
    code, _, err = run("account", "add", "ann", "--role", "admin", typed=PASSWORD + "\n")
    assert code == 1
    assert "already" in err


def test_the_last_administrator_stays_one(run: Run) -> None:
    run("account", "add", "ann", "--role", "admin", typed=PASSWORD + "\n")
    code, _, err = run("account", "role", "ann", "--role", "viewer")
    assert code == 1
    assert "last administrator" in err


def test_settings_and_log_are_checked(run: Run, config: Path) -> None:
    code, out, _ = run("check")
    assert code == 0
    assert "good. https://ops.example.org" in out
    config.write_text("schema: 1\nurl: http://ops.example.org\n", encoding="utf-8")
    code, _, err = run("check")
    assert code == 2
    assert "http:// is for localhost" in err
    config.write_text("schema: 1\nurl: https://a.b\nstore: {path: none.db}\n", encoding="utf-8")
    code, _, err = run("check")
    assert code == 1
    assert "no log at" in err
