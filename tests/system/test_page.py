"""The worker's page as it really runs: its own process, HTTPS, and a browser on it."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from cleandesk.contract.messages import Phase, Privacy, PrivacyState, Severity
from cleandesk.contract.worker_messages import AppealReason
from cleandesk.worker import protocol as p
from tests.eventually import eventually
from tests.fake_box import VIOLATION, FakeBox, entry, shown
from tests.system.page_checks import complaints
from tests.system.page_rig import (
    BIN,
    LABEL,
    OWN,
    PHONE,
    PageRig,
    launch,
    needs_chromium,
    pair,
    picture,
)

pytestmark = [pytest.mark.system, needs_chromium]

PATHS = ["/", "/violations", "/sent", "/privacy", "/settings", "/aim", "/certificate"]


@dataclass
class Site:
    """A running page, the box behind it, and a browser."""

    rig: PageRig
    box: FakeBox
    browser: Browser

    def reader(self, **settings: object) -> Page:
        """Return an empty browser window."""
        return self.rig.context(self.browser, **settings).new_page()

    def worker(self, **settings: object) -> Page:
        """Return a window whose reader is signed in, on the first page."""
        page = self.reader(**settings)
        page.goto("/")
        page.locator("#pin").fill(OWN)
        page.locator("button.main").click()
        page.locator("#state").wait_for()
        return page


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run a page that is paired already."""
    home = tmp_path_factory.mktemp("page")
    box = FakeBox(home / "page.sock").start()
    rig = PageRig(home, box.socket).start()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        site = Site(rig, box, browser)
        page = site.reader()
        pair(page)
        page.context.close()
        yield site
        browser.close()
    assert rig.stop() == 0
    assert "Traceback" not in rig.words()
    box.close()


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    """Return the site with a box that works, saw things, and sent some."""
    box = running.box
    resets = box.state.pin_resets
    now = datetime.now(UTC)
    box.state = p.State(
        privacy=Privacy(state=PrivacyState.WORKING, since=now - timedelta(minutes=42)),
        sensing=True,
        connected=True,
        limits=p.Limits(length_s=3600, count_per_day=6),
        breaks_today=1,
        last_spot_check_at=now - timedelta(hours=2),
        pin_resets=resets,
        violations=[
            shown(opened_at=now - timedelta(minutes=3)),
            shown(
                violation_id="f" * 32,
                class_name="paper",
                rule="no-paper",
                severity=Severity.MEDIUM,
                phase=Phase.CLOSE,
                opened_at=now - timedelta(hours=5),
                objected=AppealReason.WRONG,
            ),
        ],
    )
    box.drawing = p.Drawing(
        at=now,
        aspect=16 / 9,
        area=[(0.05, 0.1), (0.95, 0.08), (0.97, 0.95), (0.04, 0.96)],
        zones={"desk": [(0.1, 0.35), (0.9, 0.35), (0.95, 0.92), (0.05, 0.92)]},
        boxes=[
            p.Box(class_name="phone", score=0.93, place=(0.2, 0.5, 0.3, 0.72), believed=True),
            p.Box(class_name="paper", score=0.31, place=(0.55, 0.6, 0.8, 0.85), believed=False),
        ],
    )
    box.entries = [entry(n, at=now - timedelta(minutes=50 - n)) for n in range(1, 46)]
    box.statement = p.Statement(
        sections={"page.menu.sent": [p.Fact(text="page.break.count", values={"count": "6"})]}
    )
    box.whole = True
    box.asked.clear()
    yield running
    for context in running.browser.contexts:
        context.close()


def test_pairing_by_the_label_and_again_after_the_button(site: Site) -> None:
    there = site.worker()
    site.box.change(pin_resets=site.box.state.pin_resets + 1)
    expect(there).to_have_url(re.compile("/sign-in$"))
    page = site.reader()
    page.goto("/")
    expect(page.get_by_text("Take the one from the label")).to_be_visible()
    picture(page, "sign-in")
    page.get_by_label("PIN").fill(LABEL)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New PIN", exact=True).fill("123456")
    page.get_by_label("New PIN once more").fill("123456")
    page.get_by_role("button", name="Set the PIN").click()
    expect(page.get_by_role("alert")).to_contain_text("too easy to guess")
    picture(page, "pair")
    page.get_by_label("New PIN", exact=True).fill(OWN)
    page.get_by_label("New PIN once more").fill(OWN)
    page.get_by_role("button", name="Set the PIN").click()
    expect(page.get_by_role("status").first).to_contain_text("Your PIN is set.")
    notes = [line.kind for line in site.box.asked if isinstance(line, p.Note)]
    assert notes == ["pin_reset", "paired"]


def test_a_break_begins_and_ends_and_other_windows_follow_by_themselves(site: Site) -> None:
    page, other = site.worker(), site.worker(viewport=PHONE)
    expect(other.locator(".headline")).to_have_text("Looking at the desk")
    expect(other.locator("#drawing rect.believed")).to_have_count(1)
    picture(page, "now")
    page.get_by_role("button", name="Getting water").click()
    expect(page.locator(".said")).to_have_text("Your break has begun.")
    for window in (page, other):
        expect(window.locator(".headline")).to_have_text("On a break")
        expect(window.locator("#drawing rect")).to_have_count(0)
        expect(window.locator("#nothing")).to_have_text("The box is not looking at present.")
    picture(other, "break-phone")
    other.get_by_role("button", name="End the break").click()
    expect(page.locator(".headline")).to_have_text("Looking at the desk")
    kinds = [type(line) for line in site.box.asked]
    assert (kinds.count(p.StartBreak), kinds.count(p.EndBreak)) == (1, 1)


def test_everything_but_the_drawing_works_without_scripts(site: Site) -> None:
    page = site.worker(java_script_enabled=False)
    page.get_by_role("button", name="Rest").click()
    expect(page.locator(".headline")).to_have_text("On a break")
    page.get_by_role("button", name="End the break").click()
    expect(page.locator(".headline")).to_have_text("Looking at the desk")
    expect(page.get_by_text("needs JavaScript")).to_be_visible()
    for path in PATHS:
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()


def test_the_drawing_is_told_in_words_too(site: Site) -> None:
    page = site.worker()
    items = page.locator("#found li")
    expect(items).to_have_text(
        [
            "Phone, 93 %, left (counts for a rule)",
            "Paper, 31 %, lower right (too doubtful to count)",
        ]
    )
    assert page.locator("img:not(.brand img)").count() == 0


def test_a_box_that_goes_leaves_nothing_old_behind(site: Site) -> None:
    page = site.worker()
    expect(page.locator("#drawing rect.believed")).to_have_count(1)
    site.box.go_away()
    expect(page.get_by_role("heading", name="The box does not answer")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Looking at the desk")
    expect(page.locator("#drawing rect")).to_have_count(0)
    picture(page, "box-gone")
    site.box.start()
    expect(page.locator(".headline")).to_have_text("Looking at the desk")
    expect(page.locator("#drawing rect.believed")).to_have_count(1)


def test_a_page_that_goes_leaves_nothing_old_behind(site: Site) -> None:
    page = site.worker()
    expect(page.locator("#drawing rect.believed")).to_have_count(1)
    site.rig.stop()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the page")
    expect(page.locator("main")).not_to_contain_text("Looking at the desk")
    site.rig.start()
    expect(page.locator(".headline")).to_have_text("Looking at the desk")


def test_the_ledger_can_be_read_to_its_first_entry(site: Site) -> None:
    site.box.entries.append(
        entry(46, kind="appeal", payload='{"note":"<b>ñ</b>"}', answered="committed")
    )
    page = site.worker()
    page.get_by_role("link", name="Sent").click()
    first = page.locator("article").first
    expect(first.locator("pre")).to_have_text('{"note":"<b>ñ</b>"}')
    first.locator("summary").click()
    expect(first).to_contain_text(site.box.entries[-1].chain)
    picture(page, "sent")
    for _ in range(2):
        page.get_by_role("link", name="Older entries").click()
    expect(page.locator("article").last).to_contain_text("Entry 1")
    expect(page.get_by_role("link", name="Older entries")).to_have_count(0)


def test_an_objection_reaches_the_box(site: Site) -> None:
    page = site.worker(viewport=PHONE)
    page.get_by_role("link", name="Violations").click()
    page.locator("summary").first.click()
    page.get_by_label("It is not mine").check()
    page.get_by_label("Your own words").fill("It lies next door.")
    picture(page, "objection-phone")
    page.get_by_role("button", name="Send the objection").click()
    expect(page.locator(".said")).to_contain_text("Your objection was handed to the box")
    sent = [line for line in site.box.asked if isinstance(line, p.Object)]
    assert sent == [
        p.Object(violation_id=VIOLATION, reason=AppealReason.NOT_MINE, note="It lies next door.")
    ]


def test_the_language_follows_the_browser_and_the_switch(site: Site) -> None:
    page = site.worker(locale="es-ES", viewport=PHONE)
    expect(page.locator(".headline")).to_have_text("Mira la mesa")
    assert page.locator("html").get_attribute("lang") == "es"
    expect(page.locator("#drawing rect.believed")).to_have_count(1)
    picture(page, "now-phone-es")
    page.get_by_role("link", name="Ajustes").click()
    picture(page, "settings-phone-es")
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(re.compile("/settings$"))
    expect(page.locator("h1")).to_have_text("Settings")
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_break_needs_no_mouse(site: Site) -> None:
    page = site.worker()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "visitor":
            break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"
    picture(page, "keyboard")
    page.keyboard.press("Enter")
    expect(page.locator(".headline")).to_have_text("On a break")
    assert site.box.asked[-1:] == [p.StartBreak.model_validate({"reason": "visitor"})]


def test_focus_stays_while_the_page_moves(site: Site) -> None:
    page = site.worker()
    page.locator("#break-call").focus()
    site.box.change(connected=False)
    expect(page.get_by_text("Not connected")).to_be_visible()
    expect(page.locator("#break-call")).to_be_focused()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("desktop", {}),
        ("phone", {"viewport": PHONE, "locale": "es-ES"}),
        ("narrow", {"viewport": {"width": 320, "height": 640}}),
        ("dark", {"color_scheme": "dark"}),
    ],
)
def test_every_page_can_be_used_by_everybody(
    site: Site, name: str, settings: dict[str, object]
) -> None:
    reader = site.reader(**settings)
    reader.goto("/sign-in")
    found = {"/sign-in": complaints(reader)}
    page = site.worker(**settings)
    for path in PATHS:
        page.goto(path)
        if path == "/":
            expect(page.locator("#drawing rect.believed")).to_have_count(1)
        for summary in page.locator("main summary").all()[:2]:
            summary.click()
        found[path] = complaints(page)
        if name in {"phone", "dark"}:
            picture(page, f"{name}{path.replace('/', '-').rstrip('-')}")
    site.box.go_away()
    page.goto("/")
    found["gone"] = complaints(page)
    site.box.start()
    assert {path: what for path, what in found.items() if what} == {}


def test_the_checks_find_what_is_wrong(site: Site) -> None:
    page = site.reader()
    page.goto("/certificate")
    page.evaluate(
        """() => { document.querySelector("main").innerHTML = "<h3>x</h3><input>"
        + "<img src='/static/icon.svg'><p class='pale'>x</p><a href='/'></a>" }"""
    )
    words = " ".join(complaints(page))
    for what in ("0 of h1", "level is left out", "no name", "no alt"):
        assert what in words


def test_the_companion_tells_an_age_until_it_is_revoked(site: Site, tmp_path: Path) -> None:
    site.box.change(idle_on=True)
    page = site.worker()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Allow a companion").click()
    picture(page, "companion")
    token = tmp_path / "token"
    token.write_text(page.locator("#secret").inner_text())
    assert _companion(site, token, tmp_path) == (0, "")
    assert site.box.asked[-1:] == [p.TellIdle(input_age_s=1.5)]
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator(".said")).to_contain_text("worth nothing")
    code, words = _companion(site, token, tmp_path)
    assert code == 1
    assert "was revoked" in words


def _companion(site: Site, token: Path, home: Path) -> tuple[int, str]:
    """Run the companion once, on a desktop whose idle monitor says 1.5 s."""
    monitor = home / "gdbus"
    monitor.write_text("#!/bin/sh\necho '(uint64 1500,)'\n")
    monitor.chmod(0o755)
    done = subprocess.run(
        [
            *(BIN / "cleandesk-companion", "--once", "--page", site.rig.address),
            *("--fingerprint", site.rig.told_fingerprint(), "--token-file", token),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{home}:/usr/bin:/bin", "WAYLAND_DISPLAY": "wayland-0"},
    )
    return done.returncode, done.stderr


def test_the_aiming_view_shows_pictures_until_it_is_closed(site: Site) -> None:
    page = site.worker()
    page.get_by_role("link", name="Aim the camera").click()
    expect(page.locator("#aim")).to_have_count(0)
    site.box.change(aiming_until=datetime.now(UTC) + timedelta(minutes=5))
    page.get_by_role("button", name="Show the picture").click()
    image = page.locator("#aim")
    eventually(
        lambda: sum(isinstance(line, p.Aim) for line in site.box.asked) > 2, "a second picture"
    )
    assert image.evaluate("image => image.naturalWidth") == 160
    site.box.change(aiming_until=None)
    expect(page.get_by_text("No picture. The view has ended")).to_be_visible()


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_blocked(site: Site) -> None:
    page = site.reader()
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
    assert {url for url in asked if not url.startswith(site.rig.address)} == set()
    assert said == []


def test_the_page_uses_no_key_of_the_box_and_keeps_its_own(site: Site) -> None:
    state = site.rig.home / "page-state"
    assert {path.name for path in state.iterdir()} >= {"page.pem", "page.db"}
    assert {path.stat().st_mode & 0o077 for path in state.iterdir()} == {0}
