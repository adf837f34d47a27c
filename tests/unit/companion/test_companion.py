"""The companion before a real TLS server: pins the certificate, and says what is wrong."""

import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cleandesk.companion import cli
from cleandesk.companion.errors import CompanionError, UnreachableError
from cleandesk.companion.tell import PinnedPage
from cleandesk.page import certificate

TOKEN = "abcdefghijklmnopqrstuvwxyz-0123456789_ABCDEF"  # noqa: S105 - no secret


class Server:
    """Writes down what it gets, and answers as told."""

    def __init__(self, folder: Path) -> None:
        pem = certificate.ensure(folder, "cleandesk-desk-1.local", [])
        self.fingerprint = certificate.fingerprint(pem)
        self.status = 204
        self.got: list[tuple[str, str | None, object]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, self.headers["Authorization"], json.loads(body)))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "state")
    yield running
    running.close()


def test_an_age_is_sent_with_the_token_and_nothing_else(server: Server) -> None:
    PinnedPage(server.address, server.fingerprint, TOKEN).tell(12.3456)
    assert server.got == [("/api/idle", f"Bearer {TOKEN}", {"input_age_s": 12.3})]


def test_the_token_is_not_sent_to_another_certificate(server: Server) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(CompanionError, match=r"another certificate .* nothing was sent"):
        PinnedPage(server.address, other, TOKEN).tell(1)
    assert server.got == []


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, CompanionError, "was revoked"),
        (409, CompanionError, "does not ask for it"),
        (404, CompanionError, "not the page of a box"),
        (429, UnreachableError, "HTTP 429"),
        (503, UnreachableError, "HTTP 503"),
    ],
)
def test_each_answer_is_told_in_words(
    server: Server, status: int, error: type[Exception], words: str
) -> None:
    server.status = status
    with pytest.raises(error, match=words):
        PinnedPage(server.address, server.fingerprint, TOKEN).tell(1)


@pytest.mark.parametrize(
    ("page", "fingerprint", "token", "words"),
    [
        ("http://cleandesk-desk-1.local", "ab" * 32, TOKEN, "write it like https://"),
        ("https://", "ab" * 32, TOKEN, "write it like https://"),
        ("https://x:99999", "ab" * 32, TOKEN, "write it like https://"),
        ("https://x", "abc", TOKEN, "32 pairs"),
        ("https://x", "zz" * 32, TOKEN, "32 pairs"),
        ("https://x", "ab" * 32, "short", "holds no token"),
        ("https://x", "ab" * 32, f"{TOKEN}\r\nX: y", "holds no token"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    page: str, fingerprint: str, token: str, words: str
) -> None:
    with pytest.raises(CompanionError, match=words):
        PinnedPage(page, fingerprint, token)


def run(
    server: Server, token: Path, monkeypatch: pytest.MonkeyPatch, more: str = "--once"
) -> Result:
    monkeypatch.setattr(cli, "input_age", lambda: 42.0)
    words = ["--page", server.address, "--fingerprint", server.fingerprint]
    return CliRunner().invoke(cli.app, [*words, "--token-file", str(token), *more.split()])


def test_the_command_sends_one_age_and_ends(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    done = run(server, token, monkeypatch)
    assert done.exit_code == 0, done.output
    assert server.got[0][2] == {"input_age_s": 42.0}


def test_the_command_goes_on_through_outages_until_it_is_stopped(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    server.status = 503
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        server.status = 204
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("cleandesk.companion.cli.time.sleep", pause)
    done = run(server, token, monkeypatch, more="")
    assert done.exit_code == 0, done.output
    assert pauses == [30.0] * 3
    assert len(server.got) == 3
    assert done.stderr.count("trying again in 30 s") == 1


def test_the_command_says_what_is_wrong(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = run(server, tmp_path / "none", monkeypatch)
    assert missing.exit_code == 1
    assert "make a token under Settings" in missing.stderr
    token = tmp_path / "token"
    token.write_text(TOKEN)
    server.status = 503
    away = run(server, token, monkeypatch)
    assert away.exit_code == 1
    assert "is this computer on the box's network?" in away.stderr
    assert TOKEN not in away.stderr
