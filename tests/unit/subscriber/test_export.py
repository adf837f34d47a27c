"""Who has a still written into a file is written down first; who cannot be, gets none."""

import os
import pwd
from pathlib import Path

import pytest
import yaml
from sqlalchemy import URL, select, text

from cleandesk_fleet.subscriber.cli import main
from cleandesk_fleet.subscriber.database import Place, open_writer
from cleandesk_fleet.web.tables import audit
from tests.logging_as_it_was import logging_as_it_was
from tests.unit.subscriber.conftest import Kept, eventually_open
from tests.unit.subscriber.make import BOX, HandClock, hex_id, log_of
from tests.unit.subscriber.test_stills import jpeg, still

ID = hex_id("still", 1)


@pytest.fixture
def config(place: Place, tmp_path: Path) -> Path:
    """Return the configuration of a log that keeps one still."""
    engine, clock = open_writer(place), HandClock()
    log_of(engine, folder=tmp_path / "stills").begin(clock()).commit([still()], clock())
    engine.dispose()
    return configured(tmp_path, place)


def configured(folder: Path, place: Place) -> Path:
    store = {"path": str(place)}
    if isinstance(place, URL):
        store = {"url": place.render_as_string(hide_password=False)}
    written = {"schema": 1, "broker": {"host": "localhost"}, "store": store}
    file = folder / "subscriber.yaml"
    file.write_text(yaml.safe_dump(written | {"stills": {"folder": str(folder / "stills")}}))
    return file


def export(config: Path, to: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command as people do; return its exit code."""
    words = ["cleandesk-subscriber", "stills", "export", ID, "--to", to, "--config", config]
    monkeypatch.setattr("sys.argv", [str(word) for word in words])
    with logging_as_it_was(), pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_who_exports_one_is_in_the_trail_before_the_file_is_there(
    config: Path, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    to = tmp_path / "missing" / "copy.jpg"
    assert export(config, to, monkeypatch) == 1
    to.parent.mkdir()
    assert export(config, to, monkeypatch) == 0
    assert to.read_bytes() == jpeg(1)
    assert export(config, to, monkeypatch) == 2  # it exists: nobody looked
    lines = Kept(place).all(select(audit))
    user = pwd.getpwuid(os.getuid()).pw_name
    assert [(row["account"], row["via"]) for row in lines] == [
        (f"(command line) {user}", "command")
    ] * 2
    last = lines[-1]
    assert (last["action"], last["subject"]) == ("still_exported", ID)
    assert (last["site"], last["box"]) == (BOX.site, BOX.box)
    assert str(to) in last["detail"]


def test_a_log_without_a_trail_gives_no_picture(
    config: Path,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = eventually_open(place)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    code = export(config, tmp_path / "copy.jpg", monkeypatch)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO audit"))
    engine.dispose()
    assert (code, (tmp_path / "copy.jpg").exists()) == (1, False)
    assert "nobody can write down in its trail" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_who_may_only_read_the_log_gets_no_picture(
    config: Path,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert config
    assert isinstance(place, URL)
    engine = eventually_open(place)
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
        connection.execute(text("CREATE ROLE reader LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
    as_reader = configured(tmp_path, place.set(username="reader"))
    code = export(as_reader, tmp_path / "copy.jpg", monkeypatch)
    with engine.begin() as connection:
        connection.execute(text("DROP OWNED BY reader"))
        connection.execute(text("DROP ROLE reader"))
    engine.dispose()
    assert (code, (tmp_path / "copy.jpg").exists()) == (1, False)
    said = capsys.readouterr().err
    assert "permission denied" in said
    assert "run this as the subscriber's user" in said
