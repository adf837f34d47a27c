"""Certificates held against another time than the machine's."""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cleandesk.contract import tls, tls_clock
from cleandesk.contract.connection import TlsSettings
from cleandesk_fleet.provision import keyfiles, pki
from cleandesk_fleet.provision.pki import Span

NOW = datetime.now(UTC).replace(microsecond=0)


def files(folder: Path, begins: timedelta, ends: timedelta) -> TlsSettings:
    """Write a server's key and certificate, and return what trusts it."""
    key = pki.new_key()
    shown = pki.self_signed(key, "x", Span(NOW + begins, NOW + ends), ["localhost"])
    keyfiles.write_key(folder / "server.key", key)
    keyfiles.write_certificate(folder / "server.pem", shown)
    return TlsSettings(ca=folder / "server.pem", clock=folder / "clock")


def shake_hands(folder: Path, context: ssl.SSLContext, name: str = "localhost") -> None:
    """Connect to a server with that certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem", folder / "server.key")
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, suppress(OSError), server.wrap_socket(theirs, server_side=True) as secure:
            secure.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with ours, context.wrap_socket(ours, server_hostname=name) as secure:
            secure.sendall(b"x")
    finally:
        thread.join()


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_a_clock_that_is_behind_is_made_up_for_by_the_known_time(tmp_path: Path) -> None:
    settings = files(tmp_path, days(1), days(9))
    with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
        shake_hands(tmp_path, tls.context(settings))
    (tmp_path / "clock").write_text((NOW + days(2)).isoformat())
    shake_hands(tmp_path, tls.context(settings))


@pytest.mark.parametrize(("known", "words"), [(days(0.5), "not yet valid"), (days(10), "expired")])
def test_the_known_time_is_what_counts_then(tmp_path: Path, known: timedelta, words: str) -> None:
    settings = files(tmp_path, days(1), days(9))
    (tmp_path / "clock").write_text((NOW + known).isoformat())
    with pytest.raises(ssl.SSLCertVerificationError, match=words) as caught:
        shake_hands(tmp_path, tls.context(settings))
    assert "set the clock" in tls.advice(caught.value)


def test_a_clock_that_is_not_behind_counts_itself(tmp_path: Path) -> None:
    settings = files(tmp_path, days(-9), days(-1))
    (tmp_path / "clock").write_text((NOW - days(2)).isoformat())
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(tmp_path, tls.context(settings))


def test_who_is_trusted_and_the_name_still_count(tmp_path: Path) -> None:
    settings = files(tmp_path, days(1), days(9))
    (tmp_path / "clock").write_text((NOW + days(2)).isoformat())
    context = tls.context(settings)
    files(tmp_path, days(1), days(9))
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self.signed"):
        shake_hands(tmp_path, context)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(tmp_path, tls.context(settings), "elsewhere")


def test_a_damaged_file_is_no_time(tmp_path: Path) -> None:
    for content in (b"", b"\0\0\0\0", b"\xff", b"tomorrow"):
        (tmp_path / "clock").write_bytes(content)
        assert tls_clock.read(tmp_path / "clock") is None
    (tmp_path / "clock").write_text("2026-01-02T03:04:05")
    assert tls_clock.read(tmp_path / "clock") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
