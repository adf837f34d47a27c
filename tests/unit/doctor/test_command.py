"""`cleandesk doctor --json`: what keeps it from looking is told programs, too."""

import json
from pathlib import Path

from tests.unit.commandline import cleandesk
from tests.unit.test_cli import DEFAULT


def test_wrong_settings_are_one_object_with_each_problem(tmp_path: Path) -> None:
    config = tmp_path / "box.yaml"
    config.write_text("site: S1\nbox: b1\nrulez: []\n", encoding="utf-8")
    done = cleandesk("doctor", "--json", "-c", config)
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (2, False)
    assert {"site", "rulez"} <= {one["key"] for one in told["problems"]}
    assert "S1" in cleandesk("doctor", "-c", config).stderr


def test_an_aim_that_no_box_remembers_is_one_object_with_the_reason(tmp_path: Path) -> None:
    config = tmp_path / "box.yaml"
    config.write_text(DEFAULT.read_text(encoding="utf-8"), encoding="utf-8")
    done = cleandesk("doctor", "--json", "--aimed", "-c", config)
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (1, False)
    assert "the box must run" in told["reason"]
