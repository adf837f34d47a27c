"""The production configuration on this machine: other paths and ports, throw-away certificates."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography.x509 import ObjectIdentifier

from cleandesk import whole_file
from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk_fleet.provision import keyfiles, pki
from cleandesk_fleet.provision.authorities import Authorities, Issuer
from cleandesk_fleet.provision.pki import Span
from cleandesk_fleet.provision.roles import Operator, rules

HERE = Path(__file__).resolve().parent
BOXES, PEOPLE, ADMINS = 8883, 8884, 8885
PASSPHRASE = b"a throw-away passphrase"
_START_S = 20.0
#: Below those that the system gives to whoever connects: one of them may be taken a moment later.
_PORTS = range(10_000, 32_000)
_FILES = "/etc/mosquitto/cleandesk/"


class LocalBroker:
    """A mosquitto with `mosquitto.conf` of this folder, and the authorities that it trusts.

    Args:
        home: A folder of its own; everything lies below it.
        operators: Who may connect to the listener of people.
        ports: By the configuration's port: another one; the rest stay.
    """

    def __init__(
        self, home: Path, operators: Iterable[Operator] = (), ports: Mapping[int, int] | None = None
    ) -> None:
        self.home = home
        self.files = home / "broker"
        self._ports = {port: port for port in (BOXES, PEOPLE, ADMINS)} | dict(ports or {})
        self._operators = list(operators)
        self.authorities = Authorities(home / "ca", home / "ca" / "root.key")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The broker's process.

        Raises:
            RuntimeError: If it does not run.
        """
        if self._process is None:
            raise RuntimeError("the broker does not run: start it first")
        return self._process.pid

    def port(self, listener: int) -> int:
        """Return where a listener of the configuration really is."""
        return self._ports[listener]

    def prepare(self) -> None:
        """Write everything that the broker reads."""
        self.files.mkdir(mode=0o700, exist_ok=True)
        self.authorise()
        (self.home / "store").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(HERE / "boxes.acl", self.files / "boxes.acl")
        (self.files / "mosquitto.conf").write_text(self._configuration(), encoding="utf-8")

    def authorise(self) -> None:
        """Write the authorities, the broker's own certificate, and who may do what."""
        self.authorities.make(PASSPHRASE, datetime.now(UTC))
        names = ("localhost", "127.0.0.1")
        self.issue(Issuer.PEOPLE, "broker", folder=self.files, use=pki.SERVER, names=names)
        for issuer in Issuer:
            trust = self.authorities.trust(issuer)
            shutil.copy(trust, self.files / trust.name)
        for issuer in (Issuer.PEOPLE, Issuer.ADMINS):
            text = rules(self._operators, issuer)
            (self.files / f"{issuer}.acl").write_text(text, encoding="utf-8")
        self.copy_lists()

    def copy_lists(self) -> None:
        """Bring the revocation lists to the broker; `reload` makes it read them."""
        for issuer in Issuer:
            path = self.authorities.revoked(issuer)
            whole_file.write(self.files / path.name, path.read_bytes())

    def issue(
        self,
        issuer: Issuer,
        name: str,
        *,
        folder: Path | None = None,
        use: ObjectIdentifier = pki.CLIENT,
        names: Iterable[str] = (),
        lasts: timedelta = timedelta(days=1),
    ) -> TlsSettings:
        """Make a key and a certificate by this name; returns the files, for a client."""
        passphrase = None if issuer is Issuer.BOXES else PASSPHRASE
        signer = self.authorities.signer(issuer, passphrase)
        key = pki.new_key()
        span = Span.starting(datetime.now(UTC), lasts)
        made = pki.leaf(signer, key.public_key(), name, span, use=use, names=tuple(names))
        folder = folder or self.home / issuer
        folder.mkdir(mode=0o700, exist_ok=True)
        stem = name.replace("/", "_")
        files = folder / f"{stem}.pem", folder / f"{stem}.key"
        keyfiles.write_certificate(files[0], made, signer.certificate)
        keyfiles.write_key(files[1], key)
        return TlsSettings(ca=self.authorities.root, cert=files[0], key=files[1])

    def settings(self, listener: int, tls: TlsSettings) -> BrokerSettings:
        """Return how a client reaches a listener."""
        return BrokerSettings(
            host="localhost", port=self.port(listener), tls=tls, retry_min_s=0.1, retry_max_s=1.0
        )

    def _configuration(self) -> str:
        text = (HERE / "mosquitto.conf").read_text(encoding="utf-8")
        for given, here in {
            _FILES: f"{self.files}/",
            "/var/lib/mosquitto/": f"{self.home / 'store'}/",
            "/run/mosquitto/mosquitto.pid": f"{self.home / 'mosquitto.pid'}",
            "log_dest syslog": f"log_dest file {self.log}",
        }.items():
            text = text.replace(given, here)
        for listener, port in self._ports.items():
            text = re.sub(
                rf"^listener {listener}\b.*$",
                f"listener {port} 127.0.0.1",
                text,
                flags=re.MULTILINE,
            )
        # Started by root it would become a user who cannot enter this folder.
        return text + ("\nuser root\n" if os.geteuid() == 0 else "")

    @property
    def log(self) -> Path:
        """Where it writes its log."""
        return self.home / "mosquitto.log"

    def start(self) -> Self:
        """Start it, and return once every listener accepts connections.

        Raises:
            RuntimeError: If there is no mosquitto, or it ends at once.
        """
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise RuntimeError("no mosquitto: 'apt install mosquitto', then try again")
        config = self.files / "mosquitto.conf"
        self._process = subprocess.Popen([program, "-c", str(config)])
        give_up = time.monotonic() + _START_S
        for port in self._ports.values():
            while not _listens(port):
                if self._process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"mosquitto does not listen on {port}: see {self.log}")
                time.sleep(0.02)
        return self

    def reload(self) -> None:
        """Make it read rules and revocation lists anew; returns before it has."""
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> None:
        """End it in order: it saves its store."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=_START_S)
            self._process = None

    def __enter__(self) -> Self:
        self.prepare()
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """Return a port of the loopback address on which nobody listens."""
    while True:
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def free_ports() -> dict[int, int]:
    """Return a free loopback port for each listener of the configuration."""
    listeners, ports = (BOXES, PEOPLE, ADMINS), set[int]()
    while len(ports) < len(listeners):
        ports.add(free_port())
    return dict(zip(listeners, ports, strict=True))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
