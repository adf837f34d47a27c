"""What a configured source is, and what it may be called where people read it."""

from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

_DEVICES = "/dev/"
_SCHEME = "://"


class SourceKind(StrEnum):
    """The families of sources; they differ in what helps when they fail."""

    PICAMERA2 = "picamera2"
    V4L2 = "v4l2"
    STREAM = "stream"
    RECORDING = "recording"

    @property
    def local(self) -> bool:
        """Whether its driver's state is in this process, so that a new process may help."""
        return self in (SourceKind.PICAMERA2, SourceKind.V4L2)

    @property
    def reconnects(self) -> bool:
        """Whether trying again makes sense; a recording that failed fails again."""
        return self is not SourceKind.RECORDING


def kind_of(source: str) -> SourceKind:
    """Return the family of a source as written in the settings."""
    if source == SourceKind.PICAMERA2:
        return SourceKind.PICAMERA2
    if source.startswith(_DEVICES):
        return SourceKind.V4L2
    return SourceKind.STREAM if _SCHEME in source else SourceKind.RECORDING


def public_name(source: str) -> str:
    """Return a source without what must not be read by others.

    Streams lose user, password, query and fragment: cameras take credentials in each of them.

    >>> public_name("rtsp://admin:secret@10.0.0.7:554/main?token=1")
    'rtsp://10.0.0.7:554/main'
    """
    if kind_of(source) is not SourceKind.STREAM:
        return source
    scheme = source.partition(_SCHEME)[0]
    try:
        parts = urlsplit(source)
        return SplitResult(parts.scheme, _host(parts), parts.path, "", "").geturl()
    except ValueError:
        return f"{scheme}{_SCHEME}…"


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return host if parts.port is None else f"{host}:{parts.port}"
