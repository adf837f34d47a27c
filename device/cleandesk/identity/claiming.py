"""`cleandesk claim`: from a card to an identity that the broker has taken."""

import logging
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from cleandesk.clock import Clock
from cleandesk.identity import card, chain, files, keys
from cleandesk.identity.card import Card
from cleandesk.identity.chain import Identity
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.floor import Floor
from cleandesk.identity.home import Home, Journal, Step
from cleandesk.identity.proof import prove
from cleandesk.identity.service import Answer, Service

log = logging.getLogger(__name__)


class Claiming:
    """Claims an identity with a card; run again after a power cut, it goes on where it was.

    Args:
        folder: The card's folder, on the boot partition.
        home: Where the box keeps its identity.
        clock: The machine's.
        proof: Shows that the broker takes the box.
    """

    def __init__(
        self,
        folder: Path,
        home: Home,
        clock: Clock,
        proof: Callable[[Path, Clock], str] = prove,
    ) -> None:
        self._folder, self._home, self._clock, self._proof = folder, home, clock, proof
        self._floor = Floor(home.clock, clock)

    def run(self) -> tuple[bool, Identity]:
        """Do what is left to do; returns whether that was anything, and who the box is.

        Raises:
            IdentityError: If a step cannot be done; the same again goes on from there.
        """
        with files.folder(self._home.identity):
            journal, given = self._begin(self._home.journal())
            begun_at = journal.step
            if given is not None and journal.step is Step.BEGAN:
                keys.retried_with_new(self._home.next_key, lambda: self._certify(given))
                journal = self._at(journal, Step.CERTIFIED)
            if journal.step is Step.CERTIFIED:
                files.remove(self._home.next_key)
                where = self._proof(self._home.settings, self._clock)
                log.info("the broker has taken this box", extra={"broker": where})
                journal = self._at(journal, Step.VERIFIED)
            if journal.step is Step.VERIFIED or given is not None:
                files.wipe(self._folder / card.CLAIM)
                journal = self._at(journal, Step.DONE)
            return begun_at is not Step.DONE, self._home.current()

    def _begin(self, journal: Journal | None) -> tuple[Journal, Card | None]:
        """Return how far the claim has come, and the card, as long as it is needed."""
        try:
            given = card.read(self._folder)
        except IdentityError as error:
            if journal is not None and self._was_used(journal, error):
                return journal, None
            raise
        if journal is None or journal.claim != given.digest:
            self._refuse_another(str(given.address))
            if journal is not None:
                files.remove(self._home.next_key)  # another token's
            journal = self._home.note(
                Journal(schema=1, claim=given.digest, service=given.service, step=Step.BEGAN)
            )
            log.info("a claim began", extra={"box": str(given.address), "service": given.service})
        return journal, given

    def _refuse_another(self, name: str) -> None:
        """Raise if this box is another one: what waits and is kept here is about that one's worker.

        Under a new name the box would send it, and show it, as if it were about the next worker.
        """
        try:
            present = self._home.current().name
        except IdentityError as error:
            if error.code not in {Code.NOT_CLAIMED, Code.KEY}:
                raise
            return  # nobody yet, or nobody can tell
        if present != name:
            raise IdentityError(
                Code.CARD_MISMATCH,
                self._home.box,
                f"this box is {present} and keeps what is about its worker; the card is for {name}",
                f"write a card for {present}; or `cleandesk wipe --yes`, or flash its card anew, "
                "so that it forgets",
            )

    def _was_used(self, journal: Journal, error: IdentityError) -> bool:
        """Say whether the card is unreadable because its token was wiped, maybe not to the end."""
        if error.place != str(self._folder / card.CLAIM):
            return False
        wiped = journal.step is Step.VERIFIED or card.is_blank(self._folder)
        return wiped and journal.step is not Step.BEGAN

    def _certify(self, given: Card) -> None:
        """Take what the card says, and have a key of our own signed for."""
        self._home.take(given)
        name = str(given.address)
        key = keys.pending(self._home.next_key)
        past = [
            x509.load_pem_x509_certificate(pem).not_valid_before_utc
            for pem in (given.pinned, given.root)
        ]
        now = self._floor.now(*past)
        service = Service(
            given.service,
            self._home.pinned,
            now,
            behind=self._floor.behind(now),
            identity=None,
        )
        answer = service.ask(
            "/v1/claim", {"token": given.token, "request": keys.request(key, name)}
        )
        root = x509.load_pem_x509_certificate(given.root)
        identity = accepted(answer, key, name, root, given.service)
        begins = identity.certificate.not_valid_before_utc
        chain.check_dates(identity.certificate, self._floor.now(*past, begins), given.service)
        self._floor.keep(*past, begins)
        self._home.swap(identity)
        log.info("the certificate is here", extra={"box": name, "serial": identity.serial})

    def _at(self, journal: Journal, step: Step) -> Journal:
        return self._home.note(journal.model_copy(update={"step": step}))


def accepted(
    answer: Answer, key: keys.Key, name: str, root: x509.Certificate, place: str
) -> Identity:
    """Return the identity that an answer of the service makes.

    Raises:
        IdentityError: If the answer is not what was asked for.
    """
    try:
        certificate, issuer, said = (
            x509.load_pem_x509_certificate(pem.encode())
            for pem in (answer.certificate, answer.issuer, answer.root)
        )
    except ValueError as error:
        reason, fix = "its answer holds no certificates", "check what listens there"
        raise IdentityError(Code.ANSWER, place, reason, fix) from error
    if said != root:
        raise IdentityError(
            Code.CA,
            place,
            "its root is not the one that is on the card",
            "write the card anew with the `cleandesk-provision` that runs the service",
        )
    identity = Identity(key, certificate, issuer)
    chain.check(identity, name, root, place)
    return identity
