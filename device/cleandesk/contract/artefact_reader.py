"""Reads a signed model, whatever somebody has made of it.

It is read from the front, in one go: nothing of a part is looked at before the signature is found
to be good, and nothing but plain files of the names, sizes and order that were signed is taken. So
there are no paths, links, devices or extended headers to be wary of (POSIX 1003.1, ustar).
"""

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO

from cryptography import x509
from pydantic import ValidationError

from cleandesk.contract import artefact_trust
from cleandesk.contract.artefact import LISTING, MAX_ARTEFACT, SIGNATURE, SIGNER, Listing, Part
from cleandesk.contract.artefact_errors import ArtefactError, Fault

#: Bytes of each of the first three files.
_MAX_HEAD = 16 * 1024
_CHUNK = 1 << 16
_DAMAGED = "sign the model anew, and publish that"


def unpack(
    stream: BinaryIO,
    root: x509.Certificate,
    now: datetime,
    write: Callable[[Part, Iterator[bytes]], None],
) -> Listing:
    """Read an artefact, part by part.

    Args:
        stream: Its bytes, from the first on.
        root: Whose certificate its signer must have.
        now: The time to hold that certificate against.
        write: Takes each part with its bytes, of which it takes all. They are compared with what
            was signed as they pass: what it has written is worth nothing until `unpack` returns.

    Raises:
        ArtefactError: If it is damaged, or signed by nobody who may.
    """
    head = {name: _head(stream, name) for name in (LISTING, SIGNATURE, SIGNER)}
    artefact_trust.check(head[LISTING], head[SIGNATURE], head[SIGNER], root, now)
    try:
        listing = Listing.model_validate_json(head[LISTING])
    except ValidationError as error:
        reason = f"its {LISTING} is not one that this version knows"
        raise ArtefactError(Fault.DAMAGED, reason, "bring both sides to one version") from error
    names = [part.name for part in listing.parts]
    if len({*names, LISTING, SIGNATURE, SIGNER}) != len(names) + len(head):
        raise ArtefactError(Fault.DAMAGED, "it names a part twice", _DAMAGED)
    for part in listing.parts:
        if _header(stream, part.name) != part.size:
            raise ArtefactError(Fault.DAMAGED, f"{part.name} has another size", _DAMAGED)
        digest = hashlib.sha256()
        write(part, _passing(stream, part, digest.update))
        if digest.hexdigest() != part.sha256:
            raise ArtefactError(Fault.DAMAGED, f"{part.name} is not what was signed", _DAMAGED)
    _end(stream)
    return listing


def _head(stream: BinaryIO, name: str) -> bytes:
    size = _header(stream, name)
    if size > _MAX_HEAD:
        raise ArtefactError(Fault.DAMAGED, f"its {name} is too large", _DAMAGED)
    return b"".join(_content(stream, name, size))


def _header(stream: BinaryIO, name: str) -> int:
    """Read the header of a file of this name; returns the file's size."""
    block = _exactly(stream, tarfile.BLOCKSIZE, name)
    try:
        found = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.TarError, ValueError) as error:
        raise ArtefactError(Fault.DAMAGED, f"no {name} where it belongs", _DAMAGED) from error
    plain = found.type == tarfile.REGTYPE and found.name == name and not found.linkname
    if not plain or found.size < 0:
        raise ArtefactError(Fault.DAMAGED, f"something else in the place of {name}", _DAMAGED)
    return found.size


def _passing(stream: BinaryIO, part: Part, note: Callable[[bytes], object]) -> Iterator[bytes]:
    for chunk in _content(stream, part.name, part.size):
        note(chunk)
        yield chunk


def _content(stream: BinaryIO, name: str, size: int) -> Iterator[bytes]:
    """Yield a file's bytes; what fills its last block up is passed over."""
    left = size
    while left:
        chunk = _exactly(stream, min(left, _CHUNK), name)
        left -= len(chunk)
        yield chunk
    _exactly(stream, -size % tarfile.BLOCKSIZE, name)


def _exactly(stream: BinaryIO, size: int, name: str) -> bytes:
    found = stream.read(size)
    if len(found) != size:
        raise ArtefactError(Fault.TRUNCATED, f"it ends within {name}", "fetch it anew")
    return found


def _end(stream: BinaryIO) -> None:
    """Check that nothing follows but the zeros that end a tar."""
    left = MAX_ARTEFACT
    while chunk := stream.read(min(_CHUNK, max(left, 1))):
        left -= len(chunk)
        if chunk.strip(b"\0") or left < 0:
            raise ArtefactError(Fault.DAMAGED, "something follows its last part", _DAMAGED)
