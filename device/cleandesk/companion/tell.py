"""Tells the page the age of the last input, over HTTPS with the page's certificate pinned."""

import hashlib
import hmac
import http.client
import json
import re
import ssl
from urllib.parse import urlsplit

from cleandesk.companion.errors import CompanionError, UnreachableError

_PATIENCE_S = 10
_MOST_BYTES = 4096
_FATAL = {
    401: "the page does not know this token: it was revoked. Make a new one under Settings on the "
    "page, or leave the companion off",
    409: "your site does not ask for it, so nothing was passed on: you need not run the companion",
}


class PinnedPage:
    """The page, known by its certificate's fingerprint instead of an authority.

    Args:
        address: `https://host` or `https://host:port`.
        fingerprint: SHA-256, hexadecimal with or without colons.
        token: The companion's token.

    Raises:
        CompanionError: If one of them cannot be.
    """

    def __init__(self, address: str, fingerprint: str, token: str) -> None:
        try:
            parts = urlsplit(address)
            port = parts.port or 443
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme != "https" or not parts.hostname:
            raise CompanionError(
                f"--page {address}: write it like https://cleandesk-desk-1.local, as on the page"
            )
        self._fingerprint = fingerprint.replace(":", "").strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", self._fingerprint):
            raise CompanionError(
                f"--fingerprint {fingerprint[:80]}: write 32 pairs of hexadecimal digits, as under "
                "'About the browser's warning' on the page"
            )
        if not re.fullmatch(r"[\w-]{20,200}", token, re.ASCII):
            raise CompanionError("the token file holds no token: copy it from the page, alone")
        self._host, self._port, self._token = parts.hostname, port, token
        # Nobody vouches for the certificate: it is compared with the fingerprint instead.
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def tell(self, age_s: float) -> None:
        """Send one age.

        Raises:
            CompanionError: If it makes no sense to try again.
            UnreachableError: If the page does not answer, or not now.
        """
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=_PATIENCE_S, context=self._tls
        )
        try:
            connection.connect()
            self._compare(connection)
            connection.request(
                "POST",
                "/api/idle",
                json.dumps({"input_age_s": round(age_s, 1)}),
                {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            answer.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"{self._host} port {self._port}: {error}") from error
        finally:
            connection.close()
        self._judge(answer.status)

    def _compare(self, connection: http.client.HTTPSConnection) -> None:
        """Compare before the token is sent."""
        certificate = connection.sock.getpeercert(binary_form=True)
        shown = hashlib.sha256(certificate or b"").hexdigest()
        if not hmac.compare_digest(shown, self._fingerprint):
            raise CompanionError(
                f"{self._host} shows another certificate ({shown[:16]}…) than the one you named: "
                "nothing was sent. Somebody may stand between, or the box was set up anew: compare "
                "the fingerprint on the page with the one on paper"
            )

    def _judge(self, status: int) -> None:
        if status in _FATAL:
            raise CompanionError(_FATAL[status])
        if status >= 500 or status == 429:  # noqa: PLR2004 - HTTP's own numbers
            raise UnreachableError(f"{self._host}: HTTP {status}")
        if status != 204:  # noqa: PLR2004
            raise CompanionError(f"{self._host}: HTTP {status}: this is not the page of a box")
