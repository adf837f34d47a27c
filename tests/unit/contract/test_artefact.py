"""Signed models are read as they were signed, or not at all; whatever somebody sends."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from cleandesk.contract import artefact
from cleandesk.contract.artefact import Listing, Part, order, unpack
from cleandesk.contract.artefact_errors import ArtefactError, Fault
from cleandesk_fleet.provision import pki
from cleandesk_fleet.provision.pki import Signer, Span
from tests.signed_models import NOW, SPAN, a_root, a_signer, signed

ROOT = a_root()
SIGNER = a_signer(ROOT)
CONTENTS = {"manifest.yaml": b"name: x\n", "w.onnx": bytes(range(256)) * 5, "none": b""}


def head(listing: bytes, signer: Signer = SIGNER) -> dict[str, bytes]:
    return {
        artefact.LISTING: listing,
        artefact.SIGNATURE: signer.key.sign(listing, ec.ECDSA(hashes.SHA256())),
        artefact.SIGNER: signer.certificate.public_bytes(serialization.Encoding.PEM),
    }


def listing_of(contents: dict[str, bytes]) -> bytes:
    parts = [
        Part(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    ]
    return Listing(name="x", version="1", parts=tuple(parts)).to_json()


def packed(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


GOOD = packed(head(listing_of(CONTENTS)) | CONTENTS)


def read(content: bytes, root: x509.Certificate = ROOT.certificate) -> dict[str, bytes]:
    """Return the parts of an artefact."""
    found: dict[str, bytes] = {}

    def write(part: Part, chunks: Iterator[bytes]) -> None:
        found[part.name] = b"".join(chunks)

    unpack(io.BytesIO(content), root, NOW, write)
    return found


def refused(content: bytes, fault: Fault, root: x509.Certificate = ROOT.certificate) -> str:
    with pytest.raises(ArtefactError) as caught:
        read(content, root)
    assert caught.value.fault is fault
    assert caught.value.fix
    return caught.value.reason


def test_what_was_signed_is_what_is_read(tmp_path: Path) -> None:
    assert read(GOOD) == CONTENTS
    one = signed(tmp_path, "2.1", SIGNER)
    parts = read(one.content)
    assert {part.name: part.size for part in one.listing.parts} == {
        name: len(content) for name, content in parts.items()
    }
    assert b"version: '2.1'" in parts["manifest.yaml"]


def test_another_fleets_key_is_refused_before_anything_is_read() -> None:
    foreign = a_root()
    refused(GOOD, Fault.UNTRUSTED, foreign.certificate)
    other = a_signer(foreign)
    refused(packed(head(listing_of(CONTENTS), other)), Fault.UNTRUSTED)
    # The right certificate, and a signature by somebody else.
    mixed = head(listing_of(CONTENTS), other) | {
        artefact.SIGNER: SIGNER.certificate.public_bytes(serialization.Encoding.PEM)
    }
    assert "signature" in refused(packed(mixed | CONTENTS), Fault.UNTRUSTED)


def test_nobody_else_of_the_fleet_can_sign() -> None:
    key = pki.new_key()
    boxes = Signer(pki.issuing(ROOT, key.public_key(), "boxes", SPAN, [pki.CLIENT]), key)
    for signer in (
        ROOT,
        boxes,
        a_signer(boxes, use=pki.CODE),
        a_signer(boxes, use=pki.CLIENT),
        a_signer(ROOT, use=pki.CLIENT),
        a_signer(ROOT, use=pki.SERVER),
    ):
        refused(packed(head(listing_of(CONTENTS), signer) | CONTENTS), Fault.UNTRUSTED)


@pytest.mark.parametrize("days", [-9, 9])
def test_a_signers_certificate_counts_in_its_time_alone(days: int) -> None:
    begins = NOW + timedelta(days=days)
    signer = a_signer(ROOT, span=Span(begins, begins + timedelta(days=1)))
    whole = packed(head(listing_of(CONTENTS), signer) | CONTENTS)
    assert "holds from" in refused(whole, Fault.UNTRUSTED)


@pytest.mark.parametrize("kept", [0, 1, 511, 512, 2000, 4000, len(GOOD) - 10_000])
def test_one_that_is_cut_off_is_refused(kept: int) -> None:
    refused(GOOD[:kept], Fault.TRUNCATED)


def _links(name: str) -> Iterator[tarfile.TarInfo]:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, b"L", b"x"):
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.size = kind, "/etc/passwd", len(CONTENTS[name])
        yield entry
    for path in ("/etc/passwd", "../manifest.yaml", "a/manifest.yaml", "./manifest.yaml"):
        entry = tarfile.TarInfo(path)
        entry.size = len(CONTENTS[name])
        yield entry


@pytest.mark.parametrize(
    "entry", list(_links("manifest.yaml")), ids=lambda e: f"{e.type!r} {e.name}"
)
def test_in_the_place_of_a_part_stands_nothing_but_that_part(entry: tarfile.TarInfo) -> None:
    whole = packed(head(listing_of(CONTENTS)))
    at = len(whole.rstrip(b"\0"))
    at += -at % 512
    block = entry.tobuf(tarfile.USTAR_FORMAT) + CONTENTS["manifest.yaml"].ljust(512, b"\0")
    refused(whole[:at] + block + bytes(20_480), Fault.DAMAGED)


def test_a_part_that_is_swapped_added_or_left_out_is_refused() -> None:
    begin = head(listing_of(CONTENTS))
    swapped = dict(reversed(CONTENTS.items()))
    refused(packed(begin | swapped), Fault.DAMAGED)
    refused(packed(begin | CONTENTS | {"more": b"1"}), Fault.DAMAGED)
    refused(packed(begin | {"manifest.yaml": CONTENTS["manifest.yaml"]}), Fault.DAMAGED)
    refused(packed(begin | CONTENTS | {"w.onnx": b"short"}), Fault.DAMAGED)
    other = bytes(len(CONTENTS["w.onnx"]))
    assert "w.onnx" in refused(packed(begin | CONTENTS | {"w.onnx": other}), Fault.DAMAGED)


@pytest.mark.parametrize(
    "listing",
    [
        b"",
        b"[]",
        b'{"schema": 2}',
        b"{}",
        listing_of(CONTENTS).replace(b'"w.onnx"', b'"../w.onnx"'),
        listing_of(CONTENTS).replace(b'"w.onnx"', b'"/w.onnx"'),
        listing_of(CONTENTS).replace(b'"w.onnx"', b'".."'),
        listing_of(CONTENTS).replace(b'"w.onnx"', b'"manifest.yaml"'),
        listing_of(CONTENTS).replace(b'"w.onnx"', b'"signer.pem"'),
        listing_of(CONTENTS).replace(b'"size":1280', b'"size":-1'),
        listing_of(CONTENTS).replace(b'"size":1280', b'"size":99999999999'),
    ],
)
def test_even_the_right_key_signs_no_nonsense(listing: bytes) -> None:
    refused(packed(head(listing) | CONTENTS), Fault.DAMAGED)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_is_read_as_it_was_signed_or_refused(data: st.DataObject) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 600))
        content[at : at + length] = data.draw(st.binary(max_size=600))
    try:
        found = read(bytes(content))
    except ArtefactError:
        return
    assert found == CONTENTS


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000) | st.builds(lambda tail: GOOD[:2560] + tail, st.binary()))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    with pytest.raises(ArtefactError):
        read(content)


def test_versions_are_compared_by_their_numbers() -> None:
    assert order("0.10") > order("0.9.9") > order("0.9") == order("0.9.0")
    assert order("1") == order("1.0.0.0")
    assert order("0.0.1") > order("0")
    assert order("newest") < order("0")
    assert order("01") == order("1.") == order("-1") == order("1.2.3.4.5") == ()
