"""Who is told of severe violations, for tests: a web server and a mail server, both real."""

import base64
import hashlib
import hmac
import json
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.mosquitto import free_port

KEY = bytes(range(32))


def secret_file(folder: Path) -> Path:
    """Write the key that signs, as a receiver of Standard Webhooks hands it out."""
    path = folder / "webhook.secret"
    path.touch(mode=0o600)
    path.write_text(f"whsec_{base64.b64encode(KEY).decode()}\n", encoding="utf-8")
    return path


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine that is its own authority, and its key."""
    cert, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return cert, key


def server_side(files: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


@dataclass
class Posted:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def name(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data

    @property
    def violations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.data["violations"]
        return found

    def signed_by(self, key: bytes) -> bool:
        """Verify as the specification says: https://www.standardwebhooks.com."""
        signed = f"{self.name}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        offered = [one.partition(",") for one in self.headers["webhook-signature"].split(" ")]
        return any(v == "v1" and hmac.compare_digest(wanted, it) for v, _, it in offered)


@dataclass
class WebReceiver:
    """Takes what is posted, or does whatever `answer` does instead."""

    files: tuple[Path, Path] | None = None
    port: int = field(default_factory=free_port)
    posted: list[Posted] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None

    @property
    def url(self) -> str:
        scheme = "http" if self.files is None else "https"
        return f"{scheme}://localhost:{self.port}/hook?fleet=1"

    @property
    def told(self) -> list[str]:
        """The violations that it was told of, in order, as often as it was."""
        return [one["violation_id"] for post in list(self.posted) for one in post.violations]

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posted.append(Posted({**headers, ":path": self.path}, body))
                if receiver.answer is not None:
                    receiver.answer(self)
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        if self.files is not None:
            context = server_side(self.files)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)


@dataclass
class MailReceiver:
    """Takes e-mail; with a password only from who has it, with files only encrypted."""

    files: tuple[Path, Path] | None = None
    password: str | None = None
    refuses: frozenset[str] = frozenset()
    port: int = field(default_factory=free_port)
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    fails: str | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _: Any
    ) -> str:
        if address in self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        if self.fails is not None:
            return self.fails
        parsed = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.to += envelope.rcpt_tos
        return "250 taken"

    def _authenticate(self, *arguments: Any) -> AuthResult:
        given = arguments[-1]
        assert isinstance(given, LoginPassword)
        well = given.login == b"ops" and given.password == (self.password or "").encode()
        return AuthResult(success=well, handled=False)

    def __enter__(self) -> Self:
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=server_side(self.files) if self.files else None,
            require_starttls=self.files is not None,
            authenticator=self._authenticate if self.password else None,
            auth_required=self.password is not None,
            ready_timeout=60,
        )
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
