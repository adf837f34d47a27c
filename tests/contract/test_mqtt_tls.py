"""The MQTT session and its certificates."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.mqtt import Publication, Session, TlsError
from cleandesk.contract.tls import context
from tests.contract.recorder import Recorder, settings
from tests.eventually import eventually
from tests.mosquitto import Mosquitto, free_port, needs_mosquitto


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a broker's certificate for `localhost`, and a box's."""
    home = tmp_path_factory.mktemp("keys")
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "stranger"):
        out = ("-keyout", home / f"{name}.key", "-out", home / f"{name}.pem")
        openssl("req", "-x509", *ec, *out, "-subj", f"/CN={name}", "-days", 2)
    for name, subject in (("broker", "/CN=localhost"), ("box", "/CN=site"), ("other", "/CN=x")):
        request = home / f"{name}.csr"
        openssl("req", *ec, "-keyout", home / f"{name}.key", "-out", request, "-subj", subject)
        names = home / f"{name}.ext"
        names.write_text("subjectAltName=DNS:localhost\n")
        signed = ("-CA", home / "ca.pem", "-CAkey", home / "ca.key", "-CAcreateserial")
        made = ("-out", home / f"{name}.pem", "-days", 2, "-extfile", names)
        openssl("x509", "-req", "-in", request, *signed, *made)
    return home


def tls(keys: Path, ca: str = "ca", name: str | None = "box") -> TlsSettings:
    return TlsSettings(
        ca=keys / f"{ca}.pem",
        cert=keys / f"{name}.pem" if name else None,
        key=keys / f"{name}.key" if name else None,
    )


@pytest.fixture
def secure(tmp_path: Path, keys: Path) -> Iterator[Mosquitto]:
    options = [
        f"cafile {keys}/ca.pem",
        f"certfile {keys}/broker.pem",
        f"keyfile {keys}/broker.key",
        "require_certificate true",
    ]
    with Mosquitto(tmp_path, options=options) as running:
        yield running


@needs_mosquitto
def test_both_sides_show_a_certificate(secure: Mosquitto, keys: Path) -> None:
    broker = settings(secure.port, tls(keys), host="localhost")
    with Recorder(broker, "c", subscriptions=["t"]) as here:
        here.connected()
        here.session.publish(Publication("t", b"secret"))
        eventually(lambda: here.received)


@needs_mosquitto
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho's socket
@pytest.mark.parametrize(
    "case",
    [
        ("stranger", "box", "localhost", "broker.tls.ca must have signed"),
        ("ca", "box", "127.0.0.1", "it must name the host"),
        ("ca", None, "localhost", ""),
    ],
)
def test_who_cannot_be_trusted_is_not_talked_to(
    secure: Mosquitto,
    keys: Path,
    caplog: pytest.LogCaptureFixture,
    case: tuple[str, str | None, str, str],
) -> None:
    ca, name, host, fix = case
    with Recorder(settings(secure.port, tls(keys, ca, name), host=host), "c") as here:
        eventually(lambda: len(caplog.records) >= 2)
        assert here.connects == 0
    assert fix in caplog.records[0].__dict__["fix"]


def test_tls_of_the_last_century_is_refused(keys: Path) -> None:
    made = context(tls(keys))
    assert made.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"ca": "missing.pem"}, "broker.tls.ca"),
        ({"ca": "box.key"}, "broker.tls.ca"),
        ({"cert": "missing.pem"}, "broker.tls.cert"),
        ({"key": "other.key"}, "its own unlocked key"),
    ],
)
def test_wrong_files_are_told_before_anything_starts(
    keys: Path, change: dict[str, str], text: str
) -> None:
    files = {"ca": "ca.pem", "cert": "box.pem", "key": "box.key", **change}
    wrong = TlsSettings.model_validate({what: keys / name for what, name in files.items()})
    with pytest.raises(TlsError, match=text):
        Session(settings(free_port(), wrong), "c")
