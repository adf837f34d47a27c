"""The worker's page as it really runs: its own process, HTTPS, and a browser on it."""

import re

import pytest
from playwright.sync_api import expect

from cleandesk.contract.worker_messages import AppealReason
from cleandesk.worker import protocol as p
from tests.fake_box import VIOLATION, entry
from tests.system.page_checks import complaints
from tests.system.page_rig import (
    LABEL,
    OWN,
    PHONE,
    needs_chromium,
    picture,
)
from tests.system.page_site import PATHS, PageSite

pytestmark = [pytest.mark.system, needs_chromium]


def test_pairing_by_the_label_and_again_after_the_button(page_site: PageSite) -> None:
    there = page_site.worker()
    page_site.box.change(pin_resets=page_site.box.state.pin_resets + 1)
    expect(there).to_have_url(re.compile("/sign-in$"))
    page = page_site.reader()
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
    notes = [line.kind for line in page_site.box.asked if isinstance(line, p.Note)]
    assert notes == ["pin_reset", "paired"]


def test_a_break_begins_and_ends_and_other_windows_follow(
    page_site: PageSite,
) -> None:
    page, other = page_site.worker(), page_site.worker(viewport=PHONE)
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
    kinds = [type(line) for line in page_site.box.asked]
    assert (kinds.count(p.StartBreak), kinds.count(p.EndBreak)) == (1, 1)


def test_everything_but_the_drawing_works_without_scripts(page_site: PageSite) -> None:
    page = page_site.worker(java_script_enabled=False)
    page.get_by_role("button", name="Rest").click()
    expect(page.locator(".headline")).to_have_text("On a break")
    page.get_by_role("button", name="End the break").click()
    expect(page.locator(".headline")).to_have_text("Looking at the desk")
    expect(page.get_by_text("needs JavaScript")).to_be_visible()
    for path in PATHS:
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()


def test_the_drawing_is_told_in_words_too(page_site: PageSite) -> None:
    page = page_site.worker()
    items = page.locator("#found li")
    expect(items).to_have_text(
        [
            "Phone, 93 %, left (counts for a rule)",
            "Paper, 31 %, lower right (too doubtful to count)",
        ]
    )
    assert page.locator("img:not(.brand img)").count() == 0


def test_a_box_that_goes_leaves_nothing_old_behind(page_site: PageSite) -> None:
    page = page_site.worker()
    expect(page.locator("#drawing rect.believed")).to_have_count(1)
    page_site.box.go_away()
    expect(page.get_by_role("heading", name="The box does not answer")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Looking at the desk")
    expect(page.locator("#drawing rect")).to_have_count(0)
    picture(page, "box-gone")
    page_site.box.start()
    expect(page.locator(".headline")).to_have_text("Looking at the desk")
    expect(page.locator("#drawing rect.believed")).to_have_count(1)


def test_a_page_that_goes_leaves_nothing_old_behind(page_site: PageSite) -> None:
    page = page_site.worker()
    expect(page.locator("#drawing rect.believed")).to_have_count(1)
    page_site.rig.stop()
    expect(page.get_by_role("alert")).to_contain_text("No connection to the page")
    expect(page.locator("main")).not_to_contain_text("Looking at the desk")
    page_site.rig.start()
    expect(page.locator(".headline")).to_have_text("Looking at the desk")


def test_the_ledger_can_be_read_to_its_first_entry(page_site: PageSite) -> None:
    page_site.box.entries.append(
        entry(46, kind="appeal", payload='{"note":"<b>ñ</b>"}', answered="committed")
    )
    page = page_site.worker()
    page.get_by_role("link", name="Sent").click()
    first = page.locator("article").first
    expect(first.locator("pre")).to_have_text('{"note":"<b>ñ</b>"}')
    first.locator("summary").click()
    expect(first).to_contain_text(page_site.box.entries[-1].chain)
    picture(page, "sent")
    for _ in range(2):
        page.get_by_role("link", name="Older entries").click()
    expect(page.locator("article").last).to_contain_text("Entry 1")
    expect(page.get_by_role("link", name="Older entries")).to_have_count(0)


def test_an_objection_reaches_the_box(page_site: PageSite) -> None:
    page = page_site.worker(viewport=PHONE)
    page.get_by_role("link", name="Violations").click()
    page.locator("summary").first.click()
    page.get_by_label("It is not mine").check()
    page.get_by_label("Your own words").fill("It lies next door.")
    picture(page, "objection-phone")
    page.get_by_role("button", name="Send the objection").click()
    expect(page.locator(".said")).to_contain_text("Your objection was handed to the box")
    sent = [line for line in page_site.box.asked if isinstance(line, p.Object)]
    assert sent == [
        p.Object(violation_id=VIOLATION, reason=AppealReason.NOT_MINE, note="It lies next door.")
    ]


def test_the_language_follows_the_browser_and_the_switch(page_site: PageSite) -> None:
    page = page_site.worker(locale="es-ES", viewport=PHONE)
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


def test_a_break_needs_no_mouse(page_site: PageSite) -> None:
    page = page_site.worker()
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
    assert page_site.box.asked[-1:] == [p.StartBreak.model_validate({"reason": "visitor"})]


def test_focus_stays_while_the_page_moves(page_site: PageSite) -> None:
    page = page_site.worker()
    page.locator("#break-call").focus()
    page_site.box.change(connected=False)
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
    page_site: PageSite, name: str, settings: dict[str, object]
) -> None:
    reader = page_site.reader(**settings)
    reader.goto("/sign-in")
    found = {"/sign-in": complaints(reader)}
    page = page_site.worker(**settings)
    for path in PATHS:
        page.goto(path)
        if path == "/":
            expect(page.locator("#drawing rect.believed")).to_have_count(1)
        for summary in page.locator("main summary").all()[:2]:
            summary.click()
        found[path] = complaints(page)
        if name in {"phone", "dark"}:
            picture(page, f"{name}{path.replace('/', '-').rstrip('-')}")
    page_site.box.go_away()
    page.goto("/")
    found["gone"] = complaints(page)
    page_site.box.start()
    assert {path: what for path, what in found.items() if what} == {}


def test_the_checks_find_what_is_wrong(page_site: PageSite) -> None:
    page = page_site.reader()
    page.goto("/certificate")
    page.evaluate(
        """() => { document.querySelector("main").innerHTML = "<h3>x</h3><input>"
        + "<img src='/static/icon.svg'><p class='pale'>x</p><a href='/'></a>" }"""
    )
    words = " ".join(complaints(page))
    for what in ("0 of h1", "level is left out", "no name", "no alt"):
        assert what in words
