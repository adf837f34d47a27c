"""How a test's programs are told to reach a broker by TLS."""

from cleandesk.contract.connection import TlsSettings


def link_of(port: int, files: TlsSettings) -> dict[str, object]:
    """Return a `broker` section, quick enough for a test."""
    tls = {name: str(path) for name, path in files if path is not None}
    return {
        "host": "localhost",
        "port": port,
        "tls": tls,
        "retry_min_s": 0.1,
        "retry_max_s": 0.5,
        "ack_timeout_s": 1.0,
    }
