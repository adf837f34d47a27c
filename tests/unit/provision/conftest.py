"""A fleet in a folder, without a broker, and its command line."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from cleandesk.config import load
from cleandesk_fleet.provision import cli, pki
from cleandesk_fleet.provision.authorities import Authorities
from cleandesk_fleet.provision.change import Registry
from cleandesk_fleet.provision.database import open_database
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.settings import ProvisionSettings
from tests.logging_as_it_was import logging_as_it_was

Run = Callable[..., tuple[int, str, str]]

PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of keys that live for one test


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Authorities, made once: the passphrase's stretching takes its time."""
    folder = tmp_path_factory.mktemp("authorities")
    Authorities(folder, folder / "root.key").make(PASSPHRASE.encode(), HandClock().now)
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "provision.yaml"
    path.write_text(yaml.safe_dump({"schema": 1, "broker": {"reload": ["true"], "files": "b"}}))
    return path


@pytest.fixture
def fleet(config: Path, ready: Path, clock: HandClock) -> Fleet:
    settings = load(config, ProvisionSettings)
    where = settings.authorities.model_copy(
        update={"folder": ready, "root_key": ready / "root.key"}
    )
    settings = settings.model_copy(update={"authorities": where})
    return Fleet(settings, Registry(open_database(settings.state), "test", clock))


def request(key: Any, name: str = "s1/b1", *more: str) -> bytes:
    """Return a certificate signing request, PEM."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, one) for one in (name, *more)]
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def key() -> pki.PrivateKey:
    return pki.new_key()


@pytest.fixture
def run(
    config: Path, ready: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command of a fleet whose authorities are there: (exit code, stdout, stderr)."""
    shutil.copytree(ready, config.parent / "ca")
    monkeypatch.setenv("CLEANDESK_PROVISION", str(config))
    monkeypatch.setenv("CLEANDESK_PASSPHRASE", PASSPHRASE)

    def main(*arguments: object) -> tuple[int, str, str]:
        with logging_as_it_was(), pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    code, _, err = main("ca", "init")
    assert code == 0, err
    return main


@pytest.fixture
def said(run: Run) -> Callable[..., Any]:
    """Run a command that ends well; returns its JSON object."""

    def main(*arguments: object) -> Any:
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return main
