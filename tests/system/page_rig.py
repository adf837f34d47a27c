"""The real page's process and a real browser, before a fake box or a real one."""

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from cleandesk.contract.pin_hash import hashed
from tests.eventually import eventually
from tests.mosquitto import free_port

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PICTURES = ROOT / "build" / "page"
LABEL, OWN = "582930", "739164"
PHONE = {"width": 390, "height": 844}
#: For each step of a browser, its first page's too: it is slow, and the machine may be busy.
STEP_MS = 60_000

#: Where Debian puts it; Playwright brings none of its own here.
CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed: `make test` installs it"
)
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Browser:
    """Start the system's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)


class PageRig:
    """The page as its own process.

    Args:
        home: A test's folder.
        box_socket: The box's socket.
    """

    def __init__(self, home: Path, box_socket: Path) -> None:
        self.home = home
        self.port = free_port()
        self.config = home / "page.yaml"
        label = home / "label"
        label.write_text(hashed(LABEL), encoding="ascii")
        self.config.write_text(
            yaml.safe_dump(
                {
                    "schema": 1,
                    "box": "desk-1",
                    "page": {"listen": ["127.0.0.1"], "port": self.port, "timezone": "UTC"},
                    "socket": str(box_socket),
                    "state": str(home / "page-state"),
                    "label": str(label),
                }
            ),
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return where the page is."""
        return f"https://localhost:{self.port}"

    @property
    def pid(self) -> int:
        """Return its process's id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> "PageRig":
        """Start it; returns once it answers."""
        with (self.home / "page.err").open("ab") as words:
            self._process = subprocess.Popen(
                [BIN / "cleandesk-page", "run", "--config", self.config],
                stdout=words,
                stderr=words,
                env=os.environ | {"HOME": str(self.home)},
            )
        eventually(self._answers, "the page's start")
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.words()
        try:
            return bool(self.served_fingerprint())
        except OSError:
            return False

    def stop(self) -> int:
        """End it in order; returns its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(20)

    def words(self) -> str:
        """Return what it said."""
        return (self.home / "page.err").read_text(encoding="utf-8")

    def served_fingerprint(self) -> str:
        """Return the fingerprint of the certificate that is really served."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            certificate = secure.getpeercert(binary_form=True)
        assert certificate
        return hashlib.sha256(certificate).hexdigest()

    def told_fingerprint(self) -> str:
        """Return the one that `cleandesk-page fingerprint` prints."""
        done = subprocess.run(
            [BIN / "cleandesk-page", "fingerprint", "--config", self.config],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def context(self, browser: Browser, **settings: object) -> BrowserContext:
        """Return a browser that goes past the warning, once the fingerprint was compared."""
        told = self.told_fingerprint().replace(":", "").lower()
        assert self.served_fingerprint() == told
        context = browser.new_context(
            base_url=self.address,
            ignore_https_errors=True,
            **{"locale": "en-GB", "viewport": {"width": 1000, "height": 800}} | settings,  # type: ignore[arg-type]
        )
        context.set_default_timeout(STEP_MS)
        return context


def pair(page: Page) -> None:
    """Pair by the label's PIN and set the worker's own."""
    page.goto("/")
    page.get_by_label("PIN").fill(LABEL)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New PIN", exact=True).fill(OWN)
    page.get_by_label("New PIN once more").fill(OWN)
    page.get_by_role("button", name="Set the PIN").click()
    page.get_by_text("Your PIN is set.").wait_for()


def picture(page: Page, name: str) -> None:
    """Write a picture of the page, for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
