"""The page before a real box and a real broker: what the worker clicks, the site reads."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as TooLateError

from cleandesk.contract.messages import BreakReason, PrivacyState
from cleandesk.contract.topics import Channel
from cleandesk.contract.worker_messages import Appeal
from tests.eventually import PATIENCE_S, eventually
from tests.leaving import leave
from tests.mosquitto import needs_mosquitto
from tests.rig import ADDRESS, CLIP, Rig, frame_of, presence, wait_for_privacy
from tests.system.conftest import MakeRig
from tests.system.page_checks import complaints
from tests.system.page_rig import PHONE, PageRig, launch, needs_chromium, pair, picture

pytestmark = [pytest.mark.system, needs_mosquitto, needs_chromium]

expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture
def rig(make_rig: MakeRig, tmp_path: Path) -> Rig:
    """Return a site whose box sees a phone."""
    return make_rig(
        camera={"source": str(frame_of(CLIP, 15.0, tmp_path / "pictures")), "repeat": True},
        rules=[presence("phone")],
        breaks={"length_s": 3600, "count_per_day": 4},
    )


@pytest.fixture
def worker(rig: Rig, tmp_path: Path) -> Iterator[Page]:
    """Return a phone's browser whose reader has paired with the box."""
    rig.start_subscriber()
    rig.start_box()
    socket = tmp_path / "page.sock"
    eventually(socket.is_socket, "the box's socket")
    own = PageRig(tmp_path, socket).start()
    try:
        with sync_playwright() as playwright, closing(launch(playwright)) as browser:
            page = own.context(browser, viewport=PHONE).new_page()
            pair(page)
            yield page
    finally:
        ended = own.stop()
    assert ended == 0
    assert "Traceback" not in own.words()


@pytest.fixture
def appeals(rig: Rig) -> Iterator[list[Appeal]]:
    """Return the objections that reach the broker."""
    heard: list[Appeal] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = lambda _client, _data, message: heard.append(
        Appeal.model_validate_json(message.payload)
    )
    client.connect("127.0.0.1", rig.broker.port)
    client.subscribe(ADDRESS.topic(Channel.APPEAL), qos=1)
    client.loop_start()
    yield heard
    leave(client)


def test_what_the_worker_clicks_the_site_reads(
    rig: Rig, worker: Page, appeals: list[Appeal]
) -> None:
    expect(worker.locator(".headline")).to_have_text("Looking at the desk", timeout=30_000)
    expect(worker.locator("#drawing rect.believed").first).to_be_visible(timeout=30_000)
    expect(worker.locator("#found")).to_contain_text("Phone")
    eventually(rig.violations, "the violation")

    worker.get_by_role("link", name="Violations").click()
    worker.locator("summary").first.click()
    worker.get_by_label("It is not mine").check()
    worker.get_by_label("Your own words").fill("It lies next door.")
    worker.get_by_role("button", name="Send the objection").click()
    expect(worker.locator(".said")).to_contain_text("Your objection was handed to the box")
    expect(worker.get_by_text("You objected")).to_be_visible()
    eventually(lambda: appeals, "the objection")
    assert [(one.violation_id, one.note) for one in appeals] == [
        (rig.violations()[0]["violation_id"], "It lies next door.")
    ]

    worker.get_by_role("link", name="Now").click()
    worker.get_by_role("button", name="Getting water").click()
    expect(worker.locator(".headline")).to_have_text("On a break")
    said = wait_for_privacy(rig.broker.port, lambda p: p.state is PrivacyState.BREAK)
    assert said.reason == BreakReason.WATER
    expect(worker.get_by_text("It takes no picture until you end the break.")).to_be_visible()
    expect(worker.locator("#nothing")).to_have_text("The box is not looking at present.")

    _read_the_ledger(worker, said.to_json().decode())
    _read_the_statement(worker)

    worker.goto("/aim")
    worker.get_by_role("button", name="Show the picture").click()
    expect(worker.get_by_role("alert")).to_contain_text("You are on a break.")

    worker.goto("/")
    worker.get_by_role("button", name="End the break").click()
    wait_for_privacy(rig.broker.port, lambda p: p.state is not PrivacyState.BREAK)
    expect(worker.locator(".headline")).to_have_text("Looking at the desk", timeout=30_000)

    eventually(lambda: _aims(worker), "the picture")
    picture(worker, "real-aim")
    worker.get_by_role("button", name="Close the picture").click()
    expect(worker.locator(".said")).to_have_text("The view is closed.")


def _aims(worker: Page) -> bool:
    """Say whether the aiming view shows its picture; asks for it, as what failed stays away."""
    worker.goto("/aim")
    start = worker.get_by_role("button", name="Show the picture")
    if start.is_visible():
        with worker.expect_navigation():
            start.click()
    widths = worker.locator("#aim").evaluate_all("images => images.map(one => one.naturalWidth)")
    return bool(widths == [640])


def test_in_safe_mode_the_page_says_why_and_a_break_can_be_taken(rig: Rig, worker: Page) -> None:
    headline = worker.locator(".headline")
    expect(headline).to_have_text("Looking at the desk", timeout=30_000)
    rig.change_box(safe_mode={"after_starts": 1, "healthy_after_s": 3600})
    rig.kill("box")
    rig.start_box()
    expect(headline).to_have_text("Off", timeout=30_000)
    expect(worker.get_by_text("The box crashed again and again")).to_be_visible()
    expect(worker.get_by_text("1 starts in a row crashed")).to_be_visible()
    picture(worker, "real-safe-mode")
    assert complaints(worker) == []
    worker.get_by_role("button", name="Getting water").click()
    expect(headline).to_have_text("On a break")
    wait_for_privacy(rig.broker.port, lambda p: p.state is PrivacyState.BREAK)
    worker.get_by_role("button", name="End the break").click()
    expect(headline).to_have_text("Off")
    worker.get_by_role("link", name="Sent").click()
    expect(worker.get_by_text("The box crashed again and again: it has stopped")).to_be_visible()
    worker.goto("/aim")
    worker.get_by_role("button", name="Show the picture").click()
    expect(worker.get_by_role("alert")).to_contain_text("The camera is off.")


def _read_the_ledger(worker: Page, privacy: str) -> None:
    """Read that the break, the objection and the pairing are entered, word for word."""
    worker.get_by_role("link", name="Sent").click()
    worker.wait_for_url("**/sent")
    eventually(lambda: _says_or_reloads(worker, "The chain of checksums fits."), "the check")
    payloads = worker.locator("pre").all_inner_texts()
    assert privacy in payloads
    assert "The page was paired with a new device." in payloads
    assert any(
        json.loads(text).get("note") == "It lies next door." for text in payloads if text[0] == "{"
    )
    picture(worker, "real-sent")
    assert complaints(worker) == []


def _says_or_reloads(worker: Page, words: str) -> bool:
    """Say whether a page that never renews itself says this; loads it anew if it does not."""
    try:
        worker.get_by_text(words).wait_for(timeout=1000)
    except TooLateError:
        worker.reload()
        return False
    return True


def _read_the_statement(worker: Page) -> None:
    """Read the statement of the running box: each line has its words, in both languages."""
    worker.get_by_role("link", name="Privacy").click()
    for language in ("Español", "English"):
        worker.get_by_role("button", name=language).click()
        expect(worker.locator("main li").first).to_be_visible()
        assert "privacy." not in worker.locator("main").inner_text()
        assert complaints(worker) == []
    picture(worker, "real-privacy")
