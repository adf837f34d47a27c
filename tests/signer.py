"""Who signs updates in tests: an authority of their own, made as `deploy/image/README.md` says."""

import subprocess
from pathlib import Path

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_FOR_CODE = ("keyUsage=critical,digitalSignature", "extendedKeyUsage=codeSigning")


class Signer:
    """An authority, and a key that it signed for.

    Args:
        folder: Where they are made.

    Attributes:
        authority: What a box trusts, PEM.
        cert: The key's certificate, PEM.
        key: The key, PEM.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.authority, self.cert, self.key = (
            folder / name for name in ("ca.pem", "update.pem", "update.key")
        )
        ca_key = folder / "ca.key"
        self._openssl(
            *("req", "-x509", *_CURVE, "-days", "3650", "-subj", "/CN=Updates of our boxes"),
            *("-keyout", ca_key, "-out", self.authority),
        )
        extensions = [word for one in _FOR_CODE for word in ("-addext", one)]
        self._openssl(
            *("req", "-x509", *_CURVE, "-days", "730", "-subj", "/CN=Release", *extensions),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *("-CA", self.authority, "-CAkey", ca_key, "-keyout", self.key, "-out", self.cert),
        )

    def _openssl(self, *words: str | Path) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self._folder)
