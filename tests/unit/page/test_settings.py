"""Where the page's settings come from by themselves."""

from pathlib import Path

import pytest

from cleandesk.page.settings import PageSettings


def test_what_systemd_hands_to_the_unit_goes_before_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert PageSettings(box="desk-1").label == Path("/etc/cleandesk/page-label")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/page")
    assert PageSettings(box="desk-1").label == Path("/run/credentials/page/page-label")
    assert PageSettings(box="desk-1", label=Path("/x")).label == Path("/x")
