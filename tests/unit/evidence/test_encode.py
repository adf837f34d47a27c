"""A still is a small JPEG without anything but the picture."""

import cv2
import numpy as np
import pytest

from cleandesk.contract.stills import MAX_STILL
from cleandesk.evidence.encode import ENVELOPE, encode, segments
from cleandesk.evidence.redaction import Redacted


def _noise(height: int, width: int) -> Redacted:
    return Redacted(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def _read(jpeg: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.integer | np.floating]]:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


@pytest.mark.parametrize("size", [(1, 1), (30, 700), (480, 480), (1280, 1280)])
def test_even_noise_is_brought_below_the_limit(size: tuple[int, int]) -> None:
    jpeg = encode(_noise(*size), 1280)
    assert len(jpeg) <= MAX_STILL - ENVELOPE
    assert _read(jpeg).ndim == 3


def test_quality_goes_before_size() -> None:
    assert _read(encode(_noise(360, 360), 1280)).shape == (360, 360, 3)
    assert max(_read(encode(_noise(1280, 1280), 1280)).shape) < 1280


def test_the_longer_side_is_as_the_site_wants_it() -> None:
    assert _read(encode(_noise(300, 600), 200)).shape == (100, 200, 3)


def test_it_holds_no_segment_but_what_decoding_needs() -> None:
    jpeg = encode(_noise(64, 64), 480)
    assert jpeg.startswith(b"\xff\xd8\xff\xe0\x00\x10JFIF\0")
    markers = {marker for marker, _ in segments(jpeg)}
    assert markers == {0xDB, 0xC0, 0xC4, 0xDA}
    assert not any(0xE0 <= marker <= 0xEF or marker == 0xFE for marker in markers)


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xED, 0xFE])
def test_metadata_would_be_seen(marker: int) -> None:
    jpeg = encode(_noise(16, 16), 480)
    spoilt = jpeg[:20] + bytes([0xFF, marker, 0, 6]) + b"here" + jpeg[20:]
    assert (marker, 6) in list(segments(spoilt))


@pytest.mark.parametrize("content", [b"", b"BM", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x10JFIF"])
def test_what_is_no_jpeg_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no JPEG"):
        list(segments(content))
