"""The provisioning program, the enrolment service and the broker, as processes on one machine."""

import contextlib
import http.client
import io
import json
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from unittest import mock

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from broker import LocalBroker, free_ports
from broker.local import ADMINS, BOXES, PEOPLE
from cleandesk.config import load
from cleandesk.contract import tls
from cleandesk.contract.connection import TlsSettings
from cleandesk_fleet.provision import certificates, keyfiles, pki
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.change import Registry
from cleandesk_fleet.provision.cli import main
from cleandesk_fleet.provision.database import open_database
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.settings import ProvisionSettings
from tests.eventually import eventually
from tests.logging_as_it_was import logging_as_it_was
from tests.mosquitto import free_port
from tests.rig import BIN
from tests.system.broker_rig import Member

PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of keys that live for one test


class ProvisionedBroker(LocalBroker):
    """The production broker with the files that `cleandesk-provision broker` wrote."""

    def authorise(self) -> None:
        """Leave all to `cleandesk-provision`."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command of `cleandesk-provision` ended."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> dict[str, Any]:
        """What it said."""
        said: dict[str, Any] = json.loads(self.out)
        return said


def failure(out: str) -> dict[str, Any]:
    """Return why a command with `--json` failed, as people are told."""
    return {"error": "{reason}: {fix}".format(**json.loads(out))}


class Site:
    """A folder with settings and state, one broker and one service."""

    def __init__(self, home: Path, **changes: Mapping[str, object]) -> None:
        self.home = home
        self.broker = ProvisionedBroker(home, (), free_ports())
        self.port = free_port()
        settings: dict[str, Any] = {
            "schema": 1,
            "broker": {
                "boxes_port": self.broker.port(BOXES),
                "people_port": self.broker.port(PEOPLE),
                "admins_port": self.broker.port(ADMINS),
                "files": "broker",
                "reload": ["sh", "-c", f"kill -HUP $(cat {home}/mosquitto.pid)"],
            },
            "enrolment": {"port": self.port, "listen": "127.0.0.1"},
        }
        for name, values in changes.items():
            settings.setdefault(name, {}).update(values)
        self.config = home / "provision.yaml"
        self.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._service: subprocess.Popen[bytes] | None = None
        self._log = home / "service.log"

    def run(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        """Run a command with `--json`; returns what it said, or `{"error": …}`."""
        done = self.run_any(*arguments)
        assert done.code == code, done
        return failure(done.out) if code else done.json

    def run_any(self, *arguments: object) -> "Ran":
        """Run a command with `--json`, however it ends."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, CLEANDESK_PASSPHRASE=PASSPHRASE),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            logging_as_it_was(),
            pytest.raises(SystemExit) as ended,
        ):
            main([*map(str, arguments), "--config", str(self.config), "--json"])
        return Ran(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def publishes(self, authority: Path) -> None:
        """Have updates published that somebody signed for, and no others."""
        settings = yaml.safe_load(self.config.read_text())
        settings["update_keyring"] = str(authority)
        self.config.write_text(yaml.safe_dump(settings))

    def start_service(self) -> None:
        """Start the enrolment service; returns once it answers."""
        with self._log.open("ab") as log:
            self._service = subprocess.Popen(
                [BIN / "cleandesk-provision", "serve", "--config", self.config],
                stdout=log,
                stderr=log,
            )
        eventually(self._answers, "the service's first answer")

    def _answers(self) -> bool:
        assert self._service is not None
        assert self._service.poll() is None, self._log.read_text()
        try:
            return self.ask("/v1/claim", {})[0] == 400
        except OSError:
            return False

    @property
    def service_pid(self) -> int:
        """The enrolment service's process."""
        assert self._service is not None
        return self._service.pid

    def try_broker(self, files: TlsSettings) -> bool:
        """Show a certificate to the boxes' listener; returns whether it is taken.

        Raises:
            ssl.SSLError: If it is refused.
        """
        context = tls.context(files)
        # With 1.3 the client is done before the server looks at its certificate.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        where = ("localhost", self.broker.port(BOXES))
        with (
            socket.create_connection(where, timeout=30) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            return secure.version() == "TLSv1.2"

    def stop_service(self) -> None:
        """End the enrolment service in order."""
        if self._service is not None:
            self._service.send_signal(signal.SIGTERM)
            assert self._service.wait(30) is not None
            self._service = None

    def __enter__(self) -> Self:
        self.run("ca", "init")
        # What follows must do without it.
        (self.home / "ca" / "root.key").rename(self.home / "safe.key")
        self.run("broker")
        self.broker.prepare()
        self.broker.start()
        self.run("site", "add", "s1")
        self.start_service()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_service()
        self.broker.stop()

    def context(self, files: TlsSettings | None = None) -> ssl.SSLContext:
        """Return what a box trusts for enrolment: the certificate on its card, nothing else."""
        made = ssl.create_default_context(cafile=self.home / "ca" / "enrolment.pem")
        # As newer Pythons do by themselves.
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        if files is not None and files.cert is not None:
            made.load_cert_chain(files.cert, files.key)
        return made

    def ask(
        self, path: str, body: object, context: ssl.SSLContext | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Post JSON to the service; returns status and answer."""
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=context or self.context(), timeout=30
        )
        try:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, raw)
            answer = connection.getresponse()
            said: dict[str, Any] = json.loads(answer.read())
            return answer.status, said
        finally:
            connection.close()

    def hang(self, first: bytes) -> None:
        """Begin a request and never end it; returns when the service has ended the connection."""
        with (
            socket.create_connection(("localhost", self.port), timeout=60) as plain,
            self.context().wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            secure.sendall(first)
            with contextlib.suppress(ssl.SSLEOFError, ConnectionResetError):
                while secure.recv(1000):
                    pass

    def new_box(self, name: str, *arguments: str) -> "Card":
        """Make a box; returns what is on its card."""
        made = self.run("box", "new", name, *arguments)
        folder = Path(made["boxes"][0]["folder"])
        claim = json.loads((folder / "claim.json").read_text())
        return Card(name, claim["token"])

    def enrol(self, name: str, *arguments: str) -> "Enrolled":
        """Make a box and claim it; returns its identity."""
        card, key = self.new_box(name, *arguments), pki.new_key()
        status, said = self.ask("/v1/claim", card.claim(key))
        assert status == 200, said
        return self.keep(name, key, said)

    def keep(self, name: str, key: pki.PrivateKey, said: Mapping[str, str]) -> "Enrolled":
        """Write an identity down as a box would."""
        folder = self.home / "identities"
        folder.mkdir(exist_ok=True)
        serial = x509.load_pem_x509_certificate(said["certificate"].encode()).serial_number
        cert, held = folder / f"{serial:x}.pem", folder / f"{serial:x}.key"
        cert.write_text(said["certificate"] + said["issuer"])
        keyfiles.write_key(held, key)
        ca = folder / "ca.pem"
        ca.write_text(said["root"])
        return Enrolled(self, name, TlsSettings(ca=ca, cert=cert, key=held), said["certificate"])

    def fleet(self) -> Fleet:
        """Return the same fleet inside the test."""
        settings = load(self.config, ProvisionSettings)
        return Fleet(settings, Registry(open_database(settings.state), "test"))

    def short_lived(self, name: str, lasts: timedelta) -> "Enrolled":
        """Return a box's identity that ends soon."""
        here, key = self.fleet(), pki.new_key()
        signer = here.authorities.signer(Issuer.BOXES)
        with here.registry.change() as change:
            pem = certificates.sign(
                change, signer, key.public_key(), name, issuer=Issuer.BOXES, lasts=lasts
            )
        said = {
            "certificate": pem,
            "issuer": here.authorities.certificate(Issuer.BOXES).read_text(),
            "root": here.authorities.root.read_text(),
        }
        return self.keep(name, key, said)


class Card:
    """What a box finds on its card."""

    def __init__(self, name: str, token: str) -> None:
        self.name, self.token = name, token

    def claim(self, key: pki.PrivateKey, name: str | None = None) -> dict[str, str]:
        """Return the body of a claim."""
        return {"token": self.token, "request": request(key, name or self.name)}


class Enrolled:
    """A box with a certificate."""

    def __init__(self, site: Site, name: str, files: TlsSettings, certificate: str) -> None:
        self.site, self.name, self.files, self.certificate = site, name, files, certificate

    def connect(self, **options: Any) -> Member:
        """Return the box as a client of the broker."""
        return Member(self.site.broker, Issuer.BOXES, self.files, self.name, **options)


def request(key: pki.PrivateKey, name: str) -> str:
    """Return a certificate signing request, PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
