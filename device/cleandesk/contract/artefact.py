"""A model as one file: a plain tar whose first three files say, signed, what the others are.

```
artefact.json   name, version, and size and SHA-256 of each part; signed as it stands
signature       ECDSA over P-256 and SHA-256 of these bytes, DER
signer.pem      whose key made it: a certificate by the fleet's root, for code signing alone
…               the parts, in the order of artefact.json
```

It is read from the front, in one go: nothing of a part is looked at before the signature is found
to be good, and nothing but plain files of the names, sizes and order that were signed is taken. So
there are no paths, links, devices or extended headers to be wary of (POSIX 1003.1, ustar).
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, BinaryIO, Literal

from cryptography import x509
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleandesk.contract import artefact_trust
from cleandesk.contract.artefact_errors import ArtefactError, Fault

LISTING, SIGNATURE, SIGNER = "artefact.json", "signature", "signer.pem"
#: Bytes of a whole artefact, of its first three files, and how many parts there may be.
MAX_ARTEFACT, _MAX_HEAD, MAX_PARTS = 64 * 2**20, 16 * 1024, 16
_CHUNK = 1 << 16
_DAMAGED = "sign the model anew, and publish that"

#: Versions are numbers with dots between them, so that anybody can tell which is the newer one.
VERSION_PATTERN = r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){0,3}$"
Version = Annotated[str, Field(pattern=VERSION_PATTERN)]
PartName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
#: What the service calls the file.
ArtefactName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Part(BaseModel):
    """One file of a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: PartName
    size: Annotated[int, Field(ge=0, le=MAX_ARTEFACT)] = Field(description="Bytes")
    sha256: Digest


class Listing(BaseModel):
    """`artefact.json`: what was signed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of its form")
    kind: Literal["model"] = "model"
    name: Annotated[str, Field(min_length=1, max_length=64)]
    version: Version
    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=MAX_PARTS)]

    def to_json(self) -> bytes:
        """Return the bytes that are signed."""
        return self.model_dump_json(by_alias=True).encode()


def order(version: str) -> tuple[int, ...]:
    """Return what versions are compared by; what is no such version is older than any.

    Example:
        >>> order("0.10") > order("0.9.1"), order("1.0") == order("1")
        (True, True)
    """
    if not re.fullmatch(VERSION_PATTERN, version):
        return ()
    numbers = [int(number) for number in version.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


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
