"""`cleandesk renew`: the next certificate, with a new key, before the present one ends."""

import hashlib
import logging
from datetime import datetime

from cryptography import x509

from cleandesk.clock import Clock
from cleandesk.identity import chain, files, keys
from cleandesk.identity.chain import Identity
from cleandesk.identity.claiming import accepted
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.floor import Floor
from cleandesk.identity.home import Home, Step
from cleandesk.identity.service import Service

log = logging.getLogger(__name__)

#: Due when so much of the lifetime is left …
_LAST = 1 / 3
#: … or up to so much of it later: the same for one certificate each time, another one for each box.
_SPREAD = 1 / 12
#: From here on there is nothing left of a claim that a renewal could disturb.
_CLAIMED = frozenset({Step.VERIFIED, Step.DONE})
_HASH_BYTES = 8
_HASHES = 2.0**64


def due_at(certificate: x509.Certificate) -> datetime:
    """Return when a certificate is to be renewed."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    serial = f"{certificate.serial_number:x}".encode()
    drawn = int.from_bytes(hashlib.sha256(serial).digest()[:_HASH_BYTES]) / _HASHES
    left: float = _LAST - _SPREAD * drawn
    return ends - (ends - begins) * left


class Renewal:
    """Renews an identity, when it is due; run again after a power cut, it goes on where it was.

    Args:
        home: Where the box keeps its identity.
        clock: The machine's.
    """

    def __init__(self, home: Home, clock: Clock) -> None:
        self._home, self._floor = home, Floor(home.clock, clock)

    def run(self, *, now: bool = False) -> tuple[bool, Identity]:
        """Renew, and keep the time; returns whether there is a new certificate, and who the box is.

        Args:
            now: Also where it is not due.

        Raises:
            IdentityError: If it cannot be done; the present one stands.
        """
        with files.folder(self._home.identity):
            journal = self._home.journal()
            if journal is None or journal.step not in _CLAIMED:
                raise IdentityError(
                    Code.NOT_CLAIMED,
                    self._home.identity,
                    "no claim was finished here",
                    "run `cleandesk claim`",
                )
            old = self._home.current()
            self._tidy(old)
            pinned = self._home.certificate(self._home.pinned)
            past = old.certificate.not_valid_before_utc, pinned.not_valid_before_utc
            self._floor.keep(*past)
            moment = self._floor.now(*past)
            chain.check_dates(old.certificate, moment, str(self._home.box))
            if not now and moment < due_at(old.certificate):
                return False, old
            return True, keys.retried_with_new(
                self._home.next_key, lambda: self._renewed(old, journal.service, moment)
            )

    def _tidy(self, old: Identity) -> None:
        """Remove a key whose certificate is here already, or that is damaged."""
        raw = files.read(self._home.next_key)
        if raw is None:
            return
        try:
            waits = keys.from_pem(raw, self._home.next_key).public_key()
        except IdentityError:
            waits = None
        if waits in (None, old.key.public_key()):
            files.remove(self._home.next_key)

    def _renewed(self, old: Identity, address: str, moment: datetime) -> Identity:
        key = keys.pending(self._home.next_key)
        service = Service(
            address,
            self._home.pinned,
            moment,
            behind=self._floor.behind(moment),
            identity=self._home.box,
        )
        answer = service.ask("/v1/renew", {"request": keys.request(key, old.name)})
        root = self._home.certificate(self._home.root)
        new = accepted(answer, key, old.name, root, address)
        begins = new.certificate.not_valid_before_utc
        chain.check_dates(new.certificate, self._floor.now(moment, begins), address)
        self._home.swap(new)
        self._floor.keep(moment, begins)
        files.remove(self._home.next_key)
        log.info("the certificate is renewed", extra={"box": new.name, "serial": new.serial})
        return new
