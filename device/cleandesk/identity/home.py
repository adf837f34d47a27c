"""What a box keeps of its identity, in the folder of its settings.

```
cleandesk.yaml            the settings; they name the files below
page.yaml, page-label     for the worker's page
hostname                  what the machine is called, so that its page is found
identity/box.pem          key, certificate and issuer in one file, mode 0600: replaced by one rename
identity/next.key         the key of a certificate that was asked for and is not here yet, mode 0600
identity/ca.pem           who vouches for the broker
identity/enrolment.pem    the enrolment service's certificate
identity/journal.json     how far a claim has come
identity/clock            the last known time
```
"""

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

import yaml
from cryptography import x509
from pydantic import BaseModel, Field, ValidationError

from cleandesk import durable
from cleandesk.contract.connection import BrokerSettings
from cleandesk.identity import files
from cleandesk.identity.card import LABEL, SETTINGS, Card
from cleandesk.identity.chain import Identity
from cleandesk.identity.errors import Code, IdentityError


class Step(StrEnum):
    """How far a claim has come; what lies behind is never done again."""

    BEGAN = "began"
    CERTIFIED = "certified"
    VERIFIED = "verified"
    DONE = "done"


class Journal(BaseModel):
    """`journal.json`."""

    model_config = durable.READABLE

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of its form")
    claim: str = Field(description="SHA-256 of the token, which itself is kept nowhere")
    service: str = Field(description="The enrolment service, for renewals")
    step: Step = Field(description="What is done")


class Home:
    """The folder with a box's settings and its identity.

    Attributes:
        folder: Of the settings.
        identity: Of all that only the box may read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.identity = folder, folder / "identity"
        self.settings, self.page = folder / SETTINGS, folder / "page.yaml"
        self.hostname = folder / "hostname"
        self.box = self.identity / "box.pem"
        self.next_key = self.identity / "next.key"
        self.root = self.identity / "ca.pem"
        self.pinned = self.identity / "enrolment.pem"
        self.clock = self.identity / "clock"
        self._journal = self.identity / "journal.json"

    @classmethod
    def of(cls, broker: BrokerSettings) -> Self | None:
        """Return the home of who connects so; None if `cleandesk claim` did not make that key."""
        tls = broker.tls
        if tls is None or tls.key is None:
            return None
        home = cls(tls.key.parent.parent)
        return home if tls.key == tls.cert == home.box else None

    def journal(self) -> Journal | None:
        """Return how far the claim has come; None if none began, or nobody can tell.

        A damaged one is as good as none: each step may be done again.

        Raises:
            IdentityError: If it cannot be read.
        """
        raw = files.read(self._journal)
        try:
            return None if raw is None else Journal.model_validate_json(raw)
        except ValidationError:
            return None

    def note(self, journal: Journal) -> Journal:
        """Keep how far the claim has come; returns it.

        Raises:
            IdentityError: If the disk does not take it.
        """
        text = journal.model_dump_json(by_alias=True) + "\n"
        files.write(self._journal, text.encode(), files.SECRET)
        return journal

    def take(self, card: Card) -> None:
        """Keep what a card says, but for its token.

        Raises:
            IdentityError: If the disk does not take it.
        """
        files.write(self.root, card.root)
        files.write(self.pinned, card.pinned)
        files.write(self.folder / LABEL, card.label, files.SECRET)
        page = {"schema": 1, "box": card.address.box, "page": {"enabled": card.page}}
        files.write(self.page, yaml.safe_dump(page, sort_keys=False).encode())
        files.write(self.hostname, f"{card.address.host}\n".encode())
        files.write(self.settings, card.settings)

    def current(self) -> Identity:
        """Return who the box is.

        Raises:
            IdentityError: If it is nobody yet, or the file is damaged.
        """
        raw = files.read(self.box)
        if raw is None:
            raise IdentityError(
                Code.NOT_CLAIMED, self.box, "this box has no identity yet", "run `cleandesk claim`"
            )
        return Identity.from_pem(raw, self.box)

    def swap(self, identity: Identity) -> None:
        """Make a new identity the box's; whoever reads the file gets the old one or the new one.

        Raises:
            IdentityError: If the disk does not take it; then the old one stands.
        """
        files.write(self.box, identity.as_pem(), files.SECRET)

    def certificate(self, path: Path) -> x509.Certificate:
        """Return a certificate of the card's that was kept.

        Raises:
            IdentityError: If it is gone or damaged.
        """
        fix = "claim the box anew: `cleandesk-provision box new --again`, then `sd`"
        try:
            return x509.load_pem_x509_certificate(files.read(path) or b"")
        except ValueError as error:
            raise IdentityError(Code.KEY, path, "no certificate", fix) from error
