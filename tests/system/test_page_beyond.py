"""What stands beside the worker's page: companion, aiming view, and what it asks of others."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from cleandesk.worker import protocol as p
from tests.eventually import eventually
from tests.system.page_rig import (
    BIN,
    OWN,
    needs_chromium,
    picture,
)
from tests.system.page_site import PATHS, PageSite

pytestmark = [pytest.mark.system, needs_chromium]


def test_the_companion_tells_ages_until_it_is_revoked(page_site: PageSite, tmp_path: Path) -> None:
    page_site.box.change(idle_on=True)
    page = page_site.worker()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Allow a companion").click()
    picture(page, "companion")
    token = tmp_path / "token"
    token.write_text(page.locator("#secret").inner_text())
    assert _companion(page_site, token, tmp_path) == (0, "")
    assert page_site.box.asked[-1:] == [p.TellIdle(input_age_s=1.5)]
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator(".said")).to_contain_text("worth nothing")
    code, words = _companion(page_site, token, tmp_path)
    assert code == 1
    assert "was revoked" in words


def _companion(page_site: PageSite, token: Path, home: Path) -> tuple[int, str]:
    """Run the companion once, on a desktop whose idle monitor says 1.5 s."""
    monitor = home / "gdbus"
    monitor.write_text("#!/bin/sh\necho '(uint64 1500,)'\n")
    monitor.chmod(0o755)
    done = subprocess.run(
        [
            *(BIN / "cleandesk-companion", "--once", "--page", page_site.rig.address),
            *("--fingerprint", page_site.rig.told_fingerprint(), "--token-file", token),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{home}:/usr/bin:/bin", "WAYLAND_DISPLAY": "wayland-0"},
    )
    return done.returncode, done.stderr


def test_the_aiming_view_shows_pictures_until_it_is_closed(page_site: PageSite) -> None:
    page = page_site.worker()
    page.get_by_role("link", name="Aim the camera").click()
    expect(page.locator("#aim")).to_have_count(0)
    page_site.box.change(aiming_until=datetime.now(UTC) + timedelta(minutes=5))
    page.get_by_role("button", name="Show the picture").click()
    image = page.locator("#aim")
    eventually(
        lambda: sum(isinstance(line, p.Aim) for line in page_site.box.asked) > 2, "a second picture"
    )
    expect(image).to_have_js_property("naturalWidth", 160)
    page_site.box.change(aiming_until=None)
    expect(page.get_by_text("No picture. The view has ended")).to_be_visible()


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_blocked(page_site: PageSite) -> None:
    page = page_site.reader()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/")
    page.locator("#pin").fill(OWN)
    page.locator("button.main").click()
    for path in PATHS:
        page.goto(path)
        page.locator("h1").wait_for()
    assert asked
    assert {url for url in asked if not url.startswith(page_site.rig.address)} == set()
    assert said == []


def test_the_page_uses_no_key_of_the_box_and_keeps_its_own(page_site: PageSite) -> None:
    state = page_site.rig.home / "page-state"
    assert {path.name for path in state.iterdir()} >= {"page.pem", "page.db"}
    assert {path.stat().st_mode & 0o077 for path in state.iterdir()} == {0}
