"""What is done to the fleet: the state, the authorities' files and the broker, in this order.

Whatever is cut off half-way is done by doing it again.
"""

import fcntl
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from cleandesk import whole_file
from cleandesk.contract.connection import BrokerSettings, TlsSettings
from cleandesk_fleet.provision import certificates, keyfiles, operators, pki
from cleandesk_fleet.provision.authorities import Authorities, Issuer
from cleandesk_fleet.provision.cards import Desk
from cleandesk_fleet.provision.certificates import Over
from cleandesk_fleet.provision.change import Change, Registry
from cleandesk_fleet.provision.door import Door, await_refusal
from cleandesk_fleet.provision.errors import BrokerError, ConflictError
from cleandesk_fleet.provision.pki import Signer, Span
from cleandesk_fleet.provision.roles import BROKER, Operator, Role, rules
from cleandesk_fleet.provision.settings import ProvisionSettings

log = logging.getLogger(__name__)

#: The administrator that puts others out; its key lies with the authorities' files.
DOOR = Operator("door", Role.ADMIN)
#: A certificate with less of its life left is made anew.
_SPARE = 1 / 3
_CANARY_LASTS = timedelta(minutes=10)
_RELOAD_S = 30.0
#: It is pinned on cards that may lie for long; a new one means new cards.
_ENROLMENT_LASTS = timedelta(days=10 * 365)


class Fleet:
    """The fleet of one configuration.

    Args:
        settings: The configuration.
        registry: The state.
    """

    def __init__(self, settings: ProvisionSettings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.desk = Desk(settings.cards)
        self.authorities = Authorities(settings.authorities.folder, settings.authorities.root_key)
        folder = settings.authorities.folder
        self.enrolment = folder / "enrolment.pem", folder / "enrolment.key"
        self.door = folder / "door.pem"

    @property
    def service(self) -> str:
        """The enrolment service's address."""
        return f"https://{self.settings.enrolment.host}:{self.settings.enrolment.port}"

    def begin(self, passphrase: bytes) -> bool:
        """Make the authorities, the door's identity and the enrolment service's own certificate.

        Returns:
            Whether anything was made; a second time does nothing.

        Raises:
            LockedError: If the authorities are there, and this is not their passphrase.
        """
        with self.registry.change() as change:
            if self.registry.dry:
                return not self.authorities.whole
            made = self.authorities.make(passphrase, change.now)
            if made:
                change.note("authorities made", str(self.authorities.folder))
            if self.authorities.make_models(passphrase, change.now):
                change.note("key for models made", str(self.authorities.models[1]))
            if not self.enrolment[0].exists():
                self._make_enrolment(change)
            operators.add(change, DOOR)
            self.identify(change, DOOR, passphrase, self.authorities.folder)
        return made

    def _make_enrolment(self, change: Change) -> None:
        key = pki.new_key()
        span = Span.starting(change.now, _ENROLMENT_LASTS)
        host = self.settings.enrolment.host
        shown = pki.self_signed(key, "cleandesk enrolment", span, [host])
        keyfiles.write_key(self.enrolment[1], key)
        keyfiles.write_certificate(self.enrolment[0], shown)
        change.note("enrolment certificate made", host)

    def pinned(self) -> bytes:
        """Return the enrolment service's certificate, PEM, as cards bring it to boxes.

        Raises:
            LockedError: If there is none.
            ConflictError: If boxes would not believe it: it names another host than the settings.
        """
        path, key = self.enrolment
        host = self.settings.enrolment.host
        named = _names(keyfiles.read_certificate(path))
        if host not in named:
            raise ConflictError(
                f"{path} names {', '.join(sorted(named))}, and boxes are to reach the service by "
                f"{host}: put enrolment.host right; or move that file and {key.name} away, run "
                "`cleandesk-provision ca init`, start `serve` anew, and write all cards anew"
            )
        return path.read_bytes()

    def identify(self, change: Change, operator: Operator, passphrase: bytes, folder: Path) -> bool:
        """Write an operator's key and certificate as `NAME.key`, `NAME.pem`; keep those that hold.

        Returns:
            Whether they were written.
        """
        issuer = operator.role.issuer
        lasts = timedelta(days=self.settings.authorities.operator_days)
        return self._issue(change, issuer, operator.name, passphrase, folder, lasts=lasts)

    def equip_broker(self, passphrase: bytes, folder: Path, names: list[str]) -> bool:
        """Write all that the broker reads into a folder, its own key and certificate with it.

        Args:
            passphrase: Of the people's authority.
            folder: Made if it is not there.
            names: Names and addresses that it is reached by, beside those of the settings.

        Returns:
            Whether key and certificate were made anew.
        """
        lasts = timedelta(days=self.settings.authorities.operator_days)
        names = sorted({*names, self.settings.broker.host, self.settings.broker.admins_host})
        self.authorities.signer(Issuer.PEOPLE, passphrase)
        with self.registry.change() as change:
            if self.registry.dry:
                return True
            folder.mkdir(parents=True, exist_ok=True)
            made = self._issue(
                change, Issuer.PEOPLE, BROKER, passphrase, folder, lasts=lasts, names=names
            )
            for issuer in Issuer:
                trust = self.authorities.trust(issuer)
                whole_file.write(folder / trust.name, trust.read_bytes())
            self._copy(change, folder)
        return made

    def _issue(
        self,
        change: Change,
        issuer: Issuer,
        name: str,
        passphrase: bytes,
        folder: Path,
        *,
        lasts: timedelta,
        names: Iterable[str] = (),
    ) -> bool:
        files = folder / f"{name}.pem", folder / f"{name}.key"
        if files[0].exists() and files[1].exists():
            shown = keyfiles.read_certificate(files[0])
            row = certificates.by_serial(change, f"{shown.serial_number:x}")
            holds = row is not None and row.revoked_at is None and _names(shown) == set(names)
            if holds and shown.not_valid_after_utc - change.now > lasts * _SPARE:
                return False
        signer = self.authorities.signer(issuer, passphrase)
        key = pki.new_key()
        use = pki.SERVER if names else pki.CLIENT
        pem = certificates.sign(
            change,
            signer,
            key.public_key(),
            name,
            issuer=issuer,
            lasts=lasts,
            use=use,
            names=tuple(names),
        )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keyfiles.write_key(files[1], key)
        made = x509.load_pem_x509_certificate(pem.encode())
        keyfiles.write_certificate(files[0], made, signer.certificate)
        return True

    def publish(self, issuer: Issuer, passphrase: bytes | None = None) -> None:
        """Write a revocation list anew, bring it to the broker, and prove that it works with it.

        Raises:
            LockedError: If the authority's key cannot be used.
            BrokerError: If the broker does not work with the list.
        """
        signer = self.authorities.signer(issuer, passphrase)
        with (
            _alone(self.settings.authorities.folder),
            tempfile.TemporaryDirectory(prefix="cleandesk-canary-") as home,
        ):
            with self.registry.change() as change:
                canary, serial = self._canary(signer, Path(home), change)
                entries = [*certificates.revoked(change, issuer), (serial, change.now)]
                self.authorities.publish(signer, issuer, entries, change.now)
            self.tell_broker()
            await_refusal(self._listener(issuer, canary), canary)
        with self.registry.change() as change:
            change.note("revocation list in force", issuer.value, entries=len(entries) - 1)

    def _canary(self, signer: Signer, home: Path, change: Change) -> tuple[TlsSettings, int]:
        """Make a certificate that the next list names: it is refused once that is in force."""
        key = pki.new_key()
        span = Span.starting(change.now, _CANARY_LASTS)
        made = pki.leaf(signer, key.public_key(), "canary/canary", span)
        keyfiles.write_certificate(home / "canary.pem", made, signer.certificate)
        keyfiles.write_key(home / "canary.key", key)
        files = TlsSettings(
            ca=self.authorities.root, cert=home / "canary.pem", key=home / "canary.key"
        )
        return files, made.serial_number

    def _listener(self, issuer: Issuer, tls: TlsSettings) -> BrokerSettings:
        place = self.settings.broker
        host, port = {
            Issuer.BOXES: (place.admins_host, place.boxes_port),
            Issuer.PEOPLE: (place.admins_host, place.people_port),
            Issuer.ADMINS: (place.admins_host, place.admins_port),
        }[issuer]
        return BrokerSettings(host=host, port=port, tls=tls)

    def admin(self) -> BrokerSettings:
        """Return how the administrator reaches the broker."""
        files = TlsSettings(
            ca=self.authorities.root, cert=self.door, key=self.door.with_suffix(".key")
        )
        return self._listener(Issuer.ADMINS, files)

    def tell_broker(self) -> None:
        """Bring lists and rules to the broker, and make it read them.

        Raises:
            BrokerError: If they cannot be written there, or the reload command fails.
        """
        place = self.settings.broker
        try:
            with self.registry.change() as change:
                self._copy(change, place.files)
            done = subprocess.run(  # noqa: S603 - the configuration's own command
                place.reload, capture_output=True, text=True, check=False, timeout=_RELOAD_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BrokerError(
                f"the broker was not told: {error}: check broker.files and broker.reload in the "
                "settings, then do it again"
            ) from error
        if done.returncode:
            raise BrokerError(
                f"the broker was not told: `{' '.join(place.reload)}` ended with "
                f"{done.returncode} ({_first_line(done.stderr)}): is it up? Then do it again"
            )

    def _copy(self, change: Change, folder: Path) -> None:
        for issuer in Issuer:
            path = self.authorities.revoked(issuer)
            whole_file.write(folder / path.name, path.read_bytes())
        present = operators.present(change)
        for issuer in (Issuer.PEOPLE, Issuer.ADMINS):
            whole_file.write(folder / f"{issuer}.acl", rules(present, issuer).encode())

    def enforce(self) -> list[str]:
        """Put out whose certificate ran out, and boxes that were revoked; returns who that was.

        Raises:
            BrokerError: If the broker does not do it; nothing is noted then, so do it again.
        """
        with self.registry.change() as change:
            over = certificates.to_put_out(change)
        if any(one.revoked for one in over):
            self.publish(Issuer.BOXES)
        return self.put_out(over)

    def put_out(self, over: Sequence[Over]) -> list[str]:
        """End the connections that these certificates may have begun; returns whose they were.

        Raises:
            BrokerError: If the broker does not do it; nothing is noted then, so do it again.
        """
        names = sorted({one.name for one in over})
        Door(self.admin()).put_out(names)
        if over:
            with self.registry.change() as change:
                certificates.were_put_out(change, over)
        return names


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others out until the broker works with our list: theirs would not name our canary."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, whole_file.SECRET)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "it said nothing")[:200]


def _names(shown: x509.Certificate) -> set[str]:
    try:
        found = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(one.value) for one in found}
