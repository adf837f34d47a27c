"""Models as signed files: made of a model's folder, and checked."""

import hashlib
import io
import tarfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, Field, ValidationError

from cleandesk.contract import artefact
from cleandesk.contract.artefact import Listing, Part, PartName, Version
from cleandesk.contract.artefact_errors import ArtefactError
from cleandesk.contract.artefact_reader import unpack
from cleandesk.contract.messages import Digest
from cleandesk_fleet.provision import offering
from cleandesk_fleet.provision.errors import UsageError
from cleandesk_fleet.provision.pki import Signer

SUFFIX = ".cdmodel"
_MANIFEST, _ANSWERS = "manifest.yaml", "selftest.yaml"


class _Weights(BaseModel):
    file: PartName
    sha256: Digest


class _Manifest(_Weights):
    """What is to be known of a model's manifest here; the box checks the rest."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    version: Version
    variants: tuple[_Weights, ...] = ()


class _Answers(BaseModel):
    picture: PartName


@dataclass(frozen=True, slots=True)
class Artefact:
    """A signed file.

    Attributes:
        file: Its name for the service.
        content: Its bytes.
        listing: What was signed.
    """

    file: str
    content: bytes
    listing: Listing

    @property
    def sha256(self) -> str:
        """Of the whole file: what a box is told to expect."""
        return hashlib.sha256(self.content).hexdigest()


def sign(folder: Path, selftest: Path, signer: Signer) -> Artefact:
    """Make one signed file of a model's folder.

    Args:
        folder: With `manifest.yaml`, and the weights that it names.
        selftest: Folder with `selftest.yaml` and its picture.
        signer: What models are signed with.

    Raises:
        UsageError: If something is missing there, is not what the manifest says, or is too much.
    """
    manifest = _read(folder / _MANIFEST, _Manifest)
    answers = _read(selftest / _ANSWERS, _Answers)
    weights = (manifest, *manifest.variants)
    places = {_MANIFEST: folder, _ANSWERS: selftest, answers.picture: selftest}
    places |= {one.file: folder for one in weights}
    contents = {name: _content(place / name) for name, place in places.items()}
    for one in weights:
        if hashlib.sha256(contents[one.file]).hexdigest() != one.sha256:
            raise UsageError(f"{folder / one.file}: not what the manifest says: correct its sha256")
    parts = [
        Part(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    ]
    listing = Listing(name=manifest.name, version=manifest.version, parts=tuple(parts))
    content = _packed(listing, contents, signer)
    if len(content) > artefact.MAX_ARTEFACT:
        most = artefact.MAX_ARTEFACT >> 20
        raise UsageError(f"{folder}: {len(content) >> 20} MiB: a model has at most {most} MiB")
    digest = hashlib.sha256(content).hexdigest()[: offering.SHORT]
    return Artefact(f"{listing.name}-{listing.version}-{digest}{SUFFIX}", content, listing)


def read(path: Path, root: x509.Certificate, now: datetime) -> Artefact:
    """Read a signed file, all of which a box would take.

    Raises:
        UsageError: If it would not.
    """
    content = _content(path)
    try:
        listing = unpack(io.BytesIO(content), root, now, lambda _, chunks: _pass(chunks))
    except ArtefactError as error:
        raise UsageError(f"{path}: {error.reason}: {error.fix}") from error
    return Artefact(path.name, content, listing)


def publish(one: Artefact, folder: Path) -> bool:
    """Put a signed file where boxes fetch it; returns whether it was not there.

    Raises:
        UsageError: If its name is none for a service.
        ConflictError: If another one lies there under its name.
    """
    return offering.publish(one.file, io.BytesIO(one.content), one.sha256, folder)


def _packed(listing: Listing, contents: dict[str, bytes], signer: Signer) -> bytes:
    signed = listing.to_json()
    head = {
        artefact.LISTING: signed,
        artefact.SIGNATURE: signer.key.sign(signed, ec.ECDSA(hashes.SHA256())),
        artefact.SIGNER: signer.certificate.public_bytes(serialization.Encoding.PEM),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (head | contents).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _read(path: Path, model: type[Any]) -> Any:
    try:
        return model.model_validate(yaml.safe_load(_content(path)))
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: no YAML: correct it") from error
    except ValidationError as error:
        keys = sorted({".".join(map(str, one["loc"])) or "all" for one in error.errors()})
        raise UsageError(
            f"{path}: {', '.join(keys)}: not as a signed model needs it: models/README.md says how"
        ) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(artefact.MAX_ARTEFACT + 1)
    except OSError as error:
        fix = "a signed model needs it; a self-test that lies elsewhere is named by --selftest"
        raise UsageError(f"{path}: {error.strerror}: {fix}") from error


def _pass(chunks: Any) -> None:
    for _ in chunks:
        pass
