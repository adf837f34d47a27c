"""What is on the card: written by `cleandesk-provision sd`, checked before it is used."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from cleandesk.config import ConfigError, load
from cleandesk.contract.topics import Address, TopicError
from cleandesk.identity import files
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.settings import BoxSettings

CLAIM = "claim.json"
SETTINGS, LABEL = "cleandesk.yaml", "page-label"
_AGAIN = "write the card anew with `cleandesk-provision sd`"


class _Claim(BaseModel):
    """`claim.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = Field(alias="schema", ge=1, le=1)
    site: str
    box: str
    service: str = Field(pattern=r"^https://[^/\s]+$")
    token: str = Field(min_length=16, max_length=128)
    expires_at: AwareDatetime
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """A card's content, whole and consistent.

    Attributes:
        address: Which box it makes of this one.
        service: The enrolment service's address.
        token: Worth one certificate, once.
        pinned: The service's certificate, PEM.
        root: Who vouches for the broker and for the box, PEM.
        settings: The box's, YAML.
        label: The label's PIN, hashed, for the worker's page.
        page: Whether the worker has a page.
    """

    address: Address
    service: str
    token: str = field(repr=False)
    pinned: bytes
    root: bytes
    settings: bytes
    label: bytes = field(repr=False)
    page: bool = True

    @property
    def digest(self) -> str:
        """Return what tells this claim from another one, and gives nobody the token."""
        return hashlib.sha256(self.token.encode()).hexdigest()


def is_blank(folder: Path) -> bool:
    """Say whether the token was being wiped when the power went, or is gone."""
    raw = files.read(folder / CLAIM)
    return raw is None or not raw.strip(b"\0")


def read(folder: Path) -> Card:
    """Read a card.

    Raises:
        IdentityError: If something is missing, damaged, or does not belong together.
    """
    claim = _claim(folder / CLAIM)
    try:
        address = Address(claim.site, claim.box)
        urlsplit(claim.service).port  # noqa: B018 - raises where it is no number
    except (TopicError, ValueError) as error:
        raise IdentityError(Code.CARD_DAMAGED, folder / CLAIM, str(error), _AGAIN) from error
    raw, settings = _settings(folder / SETTINGS, address)
    return Card(
        address=address,
        service=claim.service,
        token=claim.token,
        pinned=_certificate(folder / "enrolment.pem"),
        root=_certificate(folder / "ca.pem"),
        settings=_whole(folder / SETTINGS, raw, claim),
        label=_whole(folder / LABEL, _content(folder / LABEL), claim),
        page=settings.page.enabled,
    )


def _content(path: Path) -> bytes:
    raw = files.read(path)
    if raw is None:
        raise IdentityError(Code.CARD_MISSING, path, "it is not on the card", _AGAIN)
    if not raw.strip(b"\0\n "):
        raise IdentityError(Code.CARD_DAMAGED, path, "it is empty", _AGAIN)
    return raw


def _whole(path: Path, content: bytes, claim: _Claim) -> bytes:
    """Return what the claim vouches for: half a settings file may be a valid one."""
    if hashlib.sha256(content).hexdigest() != claim.sha256.get(path.name):
        reason = "it is not what was written with this claim: cut short, or changed by hand"
        raise IdentityError(Code.CARD_DAMAGED, path, reason, _AGAIN)
    return content


def _claim(path: Path) -> _Claim:
    try:
        return _Claim.model_validate(json.loads(_content(path)))
    except ValidationError as error:
        keys = sorted({".".join(map(str, one["loc"])) or "all" for one in error.errors()})
        # Not the error's own text: that has the values in it, and one is the token.
        reason = f"not as it should be: {', '.join(keys)}"
        raise IdentityError(Code.CARD_DAMAGED, path, reason, _AGAIN) from None
    except (ValueError, RecursionError):
        raise IdentityError(Code.CARD_DAMAGED, path, "it is no whole JSON", _AGAIN) from None


def _certificate(path: Path) -> bytes:
    raw = _content(path)
    try:
        # As OpenSSL wants it: what is around it may be damaged, too.
        return x509.load_pem_x509_certificate(raw).public_bytes(Encoding.PEM)
    except ValueError as error:
        raise IdentityError(Code.CARD_DAMAGED, path, f"no certificate: {error}", _AGAIN) from error


def _settings(path: Path, address: Address) -> tuple[bytes, BoxSettings]:
    """Return a box's settings as they are written, and read."""
    raw = _content(path)
    try:
        settings = load(path, BoxSettings)
    except ConfigError as error:
        raise IdentityError(Code.SETTINGS, path, str(error), _AGAIN) from error
    if (settings.site, settings.box) != (address.site, address.box):
        reason = f"it is for {settings.site}/{settings.box}, the claim for {address}"
        raise IdentityError(Code.CARD_MISMATCH, path, reason, _AGAIN)
    return raw, settings
