"""The authorities of a fleet, as files in one folder.

```
root.pem    root.key      signs the three below, then goes offline; its key has a passphrase
boxes.pem   boxes.key     signs boxes, for clients only: the key of the enrolment service
people.pem  people.key    signs brokers, subscribers and operators; its key has the passphrase, too
admins.pem  admins.key    signs administrators of the broker; the same
models.pem  models.key    signs models, and no certificates; the same
NAME.crl                  whom an authority no longer vouches for
trust-NAME.pem            an authority with the root: what a broker's listener reads
```

A listener of the broker is given one revocation list only. OpenSSL refuses whoever's authority has
none, so that the key of the enrolment service, if it is stolen, makes no operators; and since its
certificate is for clients only, it makes no broker that a box would believe.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cleandesk import whole_file
from cleandesk_fleet.provision import keyfiles, pki
from cleandesk_fleet.provision.errors import ConflictError, LockedError
from cleandesk_fleet.provision.pki import Signer, Span

ROOT_LASTS = timedelta(days=20 * 365)
ISSUING_LASTS = timedelta(days=5 * 365)
#: A listener refuses everybody once its list is older. The service writes that of the boxes anew
#: each day; the others take a passphrase, so they last.
LIST_LASTS = timedelta(days=30)
LOCKED_LIST_LASTS = timedelta(days=400)
#: Lists are dated back, so that there is room to date each later than the last one.
_LIST_BACKDATE = timedelta(minutes=10)


class Issuer(StrEnum):
    """Who signs leaves."""

    BOXES = "boxes"
    PEOPLE = "people"
    ADMINS = "admins"


_USES = {
    Issuer.BOXES: [pki.CLIENT],
    Issuer.PEOPLE: [pki.CLIENT, pki.SERVER],
    Issuer.ADMINS: [pki.CLIENT],
}


@dataclass(frozen=True, slots=True)
class Authorities:
    """The folder, and what is in it.

    Attributes:
        folder: Where certificates, issuing keys and revocation lists are.
        root_key: The root's key; somewhere offline.
    """

    folder: Path
    root_key: Path

    @property
    def root(self) -> Path:
        """The root's certificate: what everybody trusts."""
        return self.folder / "root.pem"

    def certificate(self, issuer: Issuer) -> Path:
        """Where an issuing authority's certificate is."""
        return self.folder / f"{issuer}.pem"

    def key(self, issuer: Issuer) -> Path:
        """Where an issuing authority's key is."""
        return self.folder / f"{issuer}.key"

    def trust(self, issuer: Issuer) -> Path:
        """What a listener for those that this authority vouches for reads as its `cafile`."""
        return self.folder / f"trust-{issuer}.pem"

    @property
    def models(self) -> tuple[Path, Path]:
        """Where certificate and key of whoever signs models are."""
        return self.folder / "models.pem", self.folder / "models.key"

    def revoked(self, issuer: Issuer) -> Path:
        """Where an issuing authority's revocation list is."""
        return self.folder / f"{issuer}.crl"

    @property
    def whole(self) -> bool:
        """Whether all of it was made, to the last file."""
        return all(self.revoked(issuer).exists() for issuer in Issuer)

    def make(self, passphrase: bytes, now: datetime) -> bool:
        """Make root, issuing authorities and empty revocation lists; a second time does nothing.

        After a cut half-way it goes on with the root that is there.

        Returns:
            Whether anything was made.

        Raises:
            LockedError: If they are there, and this is not their passphrase.
            ConflictError: If the root's key lies there without its certificate.
        """
        if self.whole:
            self.signer(Issuer.PEOPLE, passphrase)
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = self._open_root(passphrase) if self.root.exists() else self._root(passphrase, now)
        for issuer in Issuer:
            key = pki.new_key()
            signed = pki.issuing(
                root,
                key.public_key(),
                f"cleandesk {issuer}",
                Span.starting(now, ISSUING_LASTS),
                _USES[issuer],
            )
            locked = None if issuer is Issuer.BOXES else passphrase
            keyfiles.write_key(self.key(issuer), key, locked)
            keyfiles.write_certificate(self.certificate(issuer), signed)
            keyfiles.write_certificate(self.trust(issuer), signed, root.certificate)
            self.publish(Signer(signed, key), issuer, [], now)
        return True

    def make_models(self, passphrase: bytes, now: datetime) -> bool:
        """Make what models are signed with, if it is missing or old, and the root's key is here.

        Returns:
            Whether it was made.

        Raises:
            LockedError: If the root's key is here, and this is not its passphrase.
        """
        certificate, key = self.models
        if not self.root_key.exists():
            return False
        if certificate.exists() and key.exists():
            ends = keyfiles.read_certificate(certificate).not_valid_after_utc
            if ends - now > ISSUING_LASTS / 2:
                return False
        root, held = self._open_root(passphrase), pki.new_key()
        span = Span.starting(now, ISSUING_LASTS)
        made = pki.leaf(root, held.public_key(), "cleandesk models", span, use=pki.CODE)
        keyfiles.write_key(key, held, passphrase)
        keyfiles.write_certificate(certificate, made)
        return True

    def models_signer(self, passphrase: bytes) -> Signer:
        """Return what signs models.

        Raises:
            LockedError: If its files are missing or the passphrase is wrong.
        """
        certificate, key = self.models
        if not certificate.exists():
            raise LockedError(
                f"{certificate}: nothing to sign models with: bring the root's key back for a "
                "moment, and run `cleandesk-provision ca init` again"
            )
        return keyfiles.read_signer(certificate, key, passphrase)

    def _open_root(self, passphrase: bytes) -> Signer:
        return keyfiles.read_signer(self.root, self.root_key, passphrase)

    def _root(self, passphrase: bytes, now: datetime) -> Signer:
        if self.root_key.exists():
            raise ConflictError(
                f"{self.root_key}: a root's key lies here, and its certificate {self.root} does "
                "not: bring that back, or move the key away to begin anew"
            )
        key = pki.new_key()
        certificate = pki.root(key, "cleandesk root", Span.starting(now, ROOT_LASTS))
        self.root_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        keyfiles.write_key(self.root_key, key, passphrase)
        keyfiles.write_certificate(self.root, certificate)
        return Signer(certificate, key)

    def signer(self, issuer: Issuer, passphrase: bytes | None = None) -> Signer:
        """Return an issuing authority that can sign.

        Raises:
            LockedError: If its files are missing or the passphrase is wrong.
        """
        return keyfiles.read_signer(self.certificate(issuer), self.key(issuer), passphrase)

    def publish(
        self, signer: Signer, issuer: Issuer, revoked: list[tuple[int, datetime]], now: datetime
    ) -> x509.CertificateRevocationList:
        """Write an authority's revocation list anew, one number higher and one date later."""
        number, begins = 1, now.replace(microsecond=0) - _LIST_BACKDATE
        if (last := self.read_list(issuer)) is not None:
            number = last.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
            begins = max(begins, last.last_update_utc + timedelta(seconds=1))
        lasts = LIST_LASTS if issuer is Issuer.BOXES else LOCKED_LIST_LASTS
        made = pki.revocations(signer, revoked, number, Span(begins, now + lasts))
        whole_file.write(self.revoked(issuer), made.public_bytes(serialization.Encoding.PEM))
        return made

    def read_list(self, issuer: Issuer) -> x509.CertificateRevocationList | None:
        """Return the revocation list as it lies there; None if there is none.

        Raises:
            LockedError: If it is there and cannot be read.
        """
        path = self.revoked(issuer)
        try:
            return x509.load_pem_x509_crl(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LockedError(
                f"{path}: no revocation list: {error}: move it away and run "
                "`cleandesk-provision crl`"
            ) from error
