"""A worker's page that runs, the box behind it, and a browser: for tests of what people see."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from cleandesk.contract.messages import Phase, Privacy, PrivacyState, Severity
from cleandesk.contract.worker_messages import AppealReason
from cleandesk.worker import protocol as p
from tests.fake_box import FakeBox, entry, shown
from tests.system.page_rig import OWN, PageRig, launch, pair

PATHS = ["/", "/violations", "/sent", "/privacy", "/settings", "/aim", "/certificate"]


@dataclass
class PageSite:
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


@contextmanager
def running(home: Path) -> Iterator[PageSite]:
    """Run a page that is paired already."""
    with closing(FakeBox(home / "page.sock").start()) as box:
        rig = PageRig(home, box.socket).start()
        try:
            with sync_playwright() as playwright, closing(launch(playwright)) as browser:
                site = PageSite(rig, box, browser)
                page = site.reader()
                pair(page)
                page.context.close()
                yield site
        finally:
            ended = rig.stop()
        assert ended == 0
        assert "Traceback" not in rig.words()


def settle(box: FakeBox) -> None:
    """Make it a box that works, saw things, and sent some."""
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
