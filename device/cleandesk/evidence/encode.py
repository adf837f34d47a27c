"""From a redacted picture to a JPEG of bounded size that holds the picture and nothing else.

No other module makes of a camera's frame what a site may get; a test keeps it so.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.contract.stills import MAX_STILL
from cleandesk.evidence.errors import EvidenceError
from cleandesk.evidence.redaction import Redacted

#: Of what may leave (`MAX_STILL`), so many bytes are kept free for the envelope.
ENVELOPE = 4_000
QUALITIES = (85, 70, 55, 40)
#: When the lowest quality does not do, both sides are shortened by this factor.
_SHRINK = 0.75

_MARKER, _START, _END, _SCAN = 0xFF, 0xD8, 0xD9, 0xDA
_APP0, _JFIF_BYTES = 0xE0, 16  # JFIF's own segment, without room for a preview
#: Quantisation and Huffman tables, frame headers, restart interval: what a decoder needs.
_NEEDED = frozenset({0xDB, 0xC4, 0xC0, 0xC1, 0xC2, 0xDD, _SCAN})


def encode(picture: Redacted, longest: int) -> bytes:
    """Return a JPEG without metadata, at most `MAX_STILL` less `ENVELOPE`.

    Args:
        picture: To encode.
        longest: The longer side is brought down to so many pixels.

    Raises:
        EvidenceError: If the JPEG library adds to the file what is no picture.
    """
    scale = min(1.0, longest / max(picture.shape[:2]))
    for small, quality in _attempts(picture, scale):
        jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(jpeg) <= MAX_STILL - ENVELOPE:
            break
    strange = [f"{marker:02X}" for marker, _ in segments(jpeg) if marker not in _NEEDED]
    if strange:
        raise EvidenceError(
            "OpenCV's JPEG encoder",
            f"it wrote segments {', '.join(strange)}, which are no part of a picture",
            "install opencv-python-headless in the version that the lock names",
        )
    return jpeg


def segments(jpeg: bytes) -> Iterator[tuple[int, int]]:
    """Yield marker and bytes of each segment up to the picture's data, JFIF's own left out.

    Raises:
        ValueError: If it is no JPEG.
    """
    if jpeg[:2] != bytes([_MARKER, _START]):
        raise ValueError("this is no JPEG: it does not begin with FF D8")
    at, marker = 2, _START
    while marker != _SCAN:
        if jpeg[at : at + 1] != bytes([_MARKER]) or len(jpeg) < at + 4:
            raise ValueError(f"this is no JPEG: no segment begins at byte {at}")
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        jfif = marker == _APP0 and length == _JFIF_BYTES and jpeg[at + 4 : at + 9] == b"JFIF\0"
        if not jfif:
            yield marker, length
        at += 2 + length


def _attempts(picture: NDArray[np.uint8], scale: float) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Yield the picture with qualities to try, best first, then ever smaller ones."""
    height, width = picture.shape[:2]
    while True:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        for quality in QUALITIES:
            yield np.asarray(small, np.uint8), quality
        scale *= _SHRINK
