"""What a box makes of a service that says no and means later, in its own words or its server's."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.service import Service
from cleandesk_fleet.provision import keyfiles, pki
from cleandesk_fleet.provision.pki import Span

NOW = datetime.now(UTC)
SPAN = Span(NOW - timedelta(days=1), NOW + timedelta(days=1))
OURS = b'{"error": "full", "reason": "others fetch just now", "fix": "try again in 20 s"}'


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers what it is told to."""

    status, body, said, asked = 503, OURS, "", ""

    def do_GET(self) -> None:
        type(self).asked = self.headers.get("Range", "")
        self.send_response(self.status)
        if self.said:
            self.send_header("Retry-After", self.said)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    key = pki.new_key()
    keyfiles.write_key(tmp_path / "key", key)
    keyfiles.write_certificate(
        tmp_path / "pem", pki.self_signed(key, "service", SPAN, ["localhost"])
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem", tmp_path / "key")
    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"https://localhost:{server.server_port}"
        yield Service(address, tmp_path / "pem", NOW, behind=False, identity=None)
        server.shutdown()
        thread.join()


def _refused(service: Service) -> IdentityError:
    with pytest.raises(IdentityError) as caught:
        list(service.fetch("/v1/artefacts/x", 10, 20))
    return caught.value


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [("20", 20), ("999999", 3600), ("", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-5", 0)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_it_says_how_long_to_wait_and_no_more_than_an_hour_counts(
    service: Service, monkeypatch: pytest.MonkeyPatch, status: int, said: str, wait_s: int
) -> None:
    monkeypatch.setattr(Answers, "status", status)
    monkeypatch.setattr(Answers, "said", said)
    error = _refused(service)
    assert (error.code, error.wait_s) == (Code.SERVICE_AWAY, wait_s)
    assert "others fetch just now" in str(error)
    assert Answers.asked == "bytes=10-19"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_or_a_proxy_that_cannot_answer_now_is_away_and_not_broken(
    service: Service, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(Answers, "status", status)
    monkeypatch.setattr(Answers, "body", b"Service Unavailable")
    assert _refused(service).code is Code.SERVICE_AWAY


def test_a_part_that_begins_elsewhere_is_no_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "status", 206)
    assert _refused(service).code is Code.ANSWER
