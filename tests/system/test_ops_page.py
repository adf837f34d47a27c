"""The page for ops as people see it: in a browser, on a log that a subscriber fills meanwhile."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Dialog, Page, expect

from cleandesk.contract.topics import Channel
from cleandesk_fleet.subscriber.tables import events
from tests.eventually import PATIENCE_S, eventually
from tests.mosquitto import needs_mosquitto
from tests.system import ops_rig
from tests.system.ops_rig import DESK, PASSWORD, PICTURES, Ops
from tests.system.page_checks import complaints
from tests.system.page_rig import PHONE, needs_chromium
from tests.unit.subscriber.make import hex_id

pytestmark = [pytest.mark.system, needs_mosquitto, needs_chromium]
expect.set_options(timeout=PATIENCE_S * 1000)

OPEN = f"/violations/{DESK.site}/{DESK.box}/{hex_id('violation', 'open')}"
APPEALED = f"/violations/{DESK.site}/{DESK.box}/{hex_id('violation', 0)}"
PAGES = {
    "fleet": "/",
    "violations": "/violations",
    "violation": f"{OPEN}?picture={hex_id('still', 'open')}",
    "appealed": APPEALED,
    "box": f"/boxes/{DESK.site}/{DESK.box}",
    "appeals": "/appeals",
    "rates": "/rates",
    "trail": "/audit",
    "accounts": "/accounts",
    "password": "/password",
    "nothing": "/violations?class=pen&site=nowhere",
    "missing": "/violations/a/b/c",
    "wrong": "/violations?since=yesterday",
}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop-light": {},
    "desktop-dark": {"color_scheme": "dark"},
    "phone-light": {"viewport": PHONE},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
}
#: `make test-scale` shows every one.
SHOWN = LOOKS if os.environ.get("LOOKS") == "all" else ("phone-dark",)


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ops]:
    with ops_rig.running(tmp_path_factory.mktemp("ops")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_windows_left(ops: Ops) -> Iterator[None]:
    yield
    for context in ops.browser.contexts:
        context.close()


def axe(page: Page) -> list[str]:
    """Return what axe-core complains about, with the first place of each."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.parametrize("look", SHOWN)
def test_everybody_can_read_every_page(ops: Ops, look: str) -> None:
    page = ops.as_("admin", **LOOKS[look])
    PICTURES.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        page.goto(path)
        page.screenshot(path=PICTURES / f"{name}-{look}.png", full_page=True)
        found[name] = [*axe(page), *complaints(page)]
    page.get_by_role("button", name="Sign out").click()
    page.goto("/sign-in")
    page.screenshot(path=PICTURES / f"sign-in-{look}.png", full_page=True)
    found["sign-in"] = [*axe(page), *complaints(page)]
    assert {name: said for name, said in found.items() if said} == {}


def test_the_check_would_find_something(ops: Ops) -> None:
    page = ops.context().new_page()
    page.set_content('<html><body><img src="x"><input></body></html>')
    assert {line.partition(":")[0] for line in axe(page)} >= {"image-alt", "label", "html-has-lang"}


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_blocked(ops: Ops) -> None:
    page = ops.as_("admin")
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for name, path in PAGES.items():
        page.goto(path)
        if name in {"missing", "wrong"}:
            said.clear()  # the browser tells of the status itself
    assert asked
    assert {url for url in asked if not url.startswith(ops.url)} == set()
    assert said == []


def test_it_works_by_keyboard_alone(ops: Ops) -> None:
    page = ops.context().new_page()
    page.goto("/violations?class=paper")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("viewer")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Violations").wait_for()
    assert page.url.endswith("/violations?class=paper")
    page.get_by_label("What").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("phone")
    page.get_by_role("button", name="Show").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**class=phone**")
    first = page.get_by_role("table").get_by_role("link").first
    first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("phone")


def test_a_screen_reader_is_told_rows_and_columns_on_a_phone_too(ops: Ops) -> None:
    page = ops.as_("viewer", viewport=PHONE)
    table = page.get_by_role("table", name="Boxes")
    expect(table.get_by_role("columnheader")).to_have_count(7)
    row = table.get_by_role("row").filter(has_text="berlin/desk-3")
    expect(row.get_by_role("cell")).to_have_count(7)
    expect(row).to_contain_text("12 waiting, oldest 1 h 10 min")


def test_what_the_subscriber_logs_is_on_the_next_page(ops: Ops) -> None:
    page = ops.as_("viewer")
    page.goto("/violations?class=usb_stick")
    expect(page.get_by_text("No violation fits these filters.")).to_be_visible()
    before = ops.logged(events)
    now = datetime.now(UTC)
    ops.fleet.event(DESK, "fresh", now, **{"class": "usb_stick", "rule": "no-sticks"})
    eventually(lambda: ops.logged(events) == before + 1, "the log of it")
    page.reload()
    expect(page.get_by_role("table")).to_contain_text("no-sticks")


def test_pages_lead_through_all_and_filters_stay(ops: Ops) -> None:
    page = ops.as_("viewer")
    page.goto("/violations")
    page.get_by_label("State").select_option("closed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**after=**")
    expect(page.get_by_label("State")).to_have_value("closed")
    expect(page.locator("tbody tr")).to_have_count(16)
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)


def test_a_viewer_sees_no_picture_and_is_told_why(ops: Ops) -> None:
    page = ops.as_("viewer")
    page.goto(f"{OPEN}?picture={hex_id('still', 'open')}")
    expect(page.get_by_text("Reviewers may see it.")).to_be_visible()
    expect(page.locator("img.still")).to_have_count(0)
    answer = page.goto(f"/stills/{hex_id('still', 'open')}")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("heading", name="You may not see this")).to_be_visible()
    page.screenshot(path=PICTURES / "kept-out.png")


def test_a_reviewer_looks_and_decides_and_an_admin_sees_that(ops: Ops) -> None:
    page = ops.as_("reviewer")
    page.goto(OPEN)
    page.get_by_role("link", name="Show the picture").click()
    expect(page.locator("img.still")).to_be_visible()
    expect(page.locator("img.still")).to_have_js_property("naturalWidth", 320)  # once it is there
    page.goto("/appeals")
    page.get_by_role("link", name="UTC").first.wait_for()
    page.goto(APPEALED)
    page.get_by_label("Upheld: the worker is right").check()
    page.get_by_label("Why").fill("A glasses case, seen on the picture.")
    page.get_by_role("button", name="Keep the decision").click()
    expect(page.get_by_role("status")).to_contain_text("Your decision is kept.")
    expect(page.locator("#main")).to_contain_text("upheld by reviewer")
    admin = ops.as_("admin")
    admin.goto("/audit?account=reviewer")
    table = admin.get_by_role("table")
    expect(table).to_contain_text("still viewed")
    expect(table).to_contain_text(hex_id("still", "open"))
    expect(table).to_contain_text("decided")


def test_an_export_is_a_file_of_what_was_filtered(ops: Ops, tmp_path: Path) -> None:
    page = ops.as_("viewer")
    page.goto("/violations?class=paper")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    download.value.save_as(tmp_path / "paper.csv")
    lines = (tmp_path / "paper.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith('"opened_at"')
    assert len(lines) == 1 + 17
    assert all('"paper"' in line for line in lines[1:])


HOSTILE = [
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "'; DROP TABLE violations; --",
    "</textarea><svg onload=document.title='owned'>",
    '=HYPERLINK("http://evil")',
]


def test_what_hostile_boxes_say_is_text(ops: Ops) -> None:
    before, now = ops.logged(events), datetime.now(UTC)
    for number, text in enumerate(HOSTILE):
        name = f"hostile {number}"
        more = {"class": text, "rule": text, "zone": text}
        ops.fleet.violation(DESK, name, now, 5.0, **more)
        ops.fleet.appeal(DESK, name, text, now)
        privacy = {"state": "fault", "reason": text, "since": now.isoformat()}
        ops.fleet.say(DESK, Channel.PRIVACY, privacy)
    eventually(lambda: ops.logged(events) == before + 2 * len(HOSTILE), "the log of it")
    page = ops.as_("admin")
    dialogs: list[str] = []

    def heard(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", heard)
    one = [hex_id("violation", f"hostile {n}") for n in range(len(HOSTILE))]
    paths = ["/violations", "/appeals", "/rates", PAGES["box"], "/"]
    paths += [f"/violations/{DESK.site}/{DESK.box}/{name}" for name in one]
    for path in paths:
        page.goto(path)
        assert page.title().endswith("cleandesk ops"), path
        assert "owned" not in page.title() or "document.title" in page.title()
        assert page.locator("main script, main img:not(.still)").count() == 0
    assert dialogs == []
    page.goto("/violations")
    for text in HOSTILE:
        expect(page.get_by_role("table")).to_contain_text(text)
    assert ops.logged(events) == before + 2 * len(HOSTILE)
