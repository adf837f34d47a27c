"""Ends: revoking a box or an operator, and taking a box out of service."""

from collections.abc import Sequence
from dataclasses import dataclass

from cleandesk.contract.topics import Address
from cleandesk_fleet.provision import boxes, certificates, leftovers, operators
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.boxes import State
from cleandesk_fleet.provision.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Ended:
    """What was done.

    Attributes:
        revoked: Serial numbers; none if they had been revoked before.
        put_out: Client ids whose connections were ended now.
        cleared: Topics on which something had been retained.
    """

    revoked: Sequence[str]
    put_out: Sequence[str] = ()
    cleared: Sequence[str] = ()


def revoke_box(fleet: Fleet, address: Address, reason: str) -> Ended:
    """Revoke a box's certificates and claims, and put it out.

    Raises:
        UnknownNameError: If there is no such box.
        BrokerError: If it may still be in. All else is kept; do it again.
    """
    with fleet.registry.change() as change:
        state = boxes.known(change, address).state
        boxes.end_claims(change, address)
        serials = certificates.revoke(change, Issuer.BOXES, str(address), reason)
        if state != State.DECOMMISSIONED:
            boxes.set_state(change, address, State.REVOKED)
    if fleet.registry.dry:
        return Ended(serials)
    fleet.desk.claimed(address)
    return Ended(serials, fleet.enforce())


def revoke_operator(fleet: Fleet, name: str, reason: str, passphrase: bytes) -> Ended:
    """Revoke an operator's certificates and rights, and put them out.

    Raises:
        UnknownNameError: If there is nobody of this name.
        LockedError: If the passphrase is wrong.
        BrokerError: If they may still be in. All else is kept; do it again.
    """
    with fleet.registry.change() as change:
        issuer = operators.remove(change, name).role.issuer
        fleet.authorities.signer(issuer, passphrase)
        serials = certificates.revoke(change, issuer, name, reason)
    if fleet.registry.dry:
        return Ended(serials)
    fleet.publish(issuer, passphrase)
    with fleet.registry.change() as change:
        over = certificates.revoked_of(change, issuer, name)
    return Ended(serials, fleet.put_out(over))


def decommission(fleet: Fleet, address: Address) -> Ended:
    """Take a box out of service: revoked, put out, nothing retained, nothing waiting for it.

    What the box itself keeps (key, outbox, ledger, stills) goes by `cleandesk wipe` there.

    Raises:
        UnknownNameError: If there is no such box.
        BrokerError: If the broker does not do its part. All else is kept; do it again.
    """
    ended = revoke_box(fleet, address, "decommissioned")
    if fleet.registry.dry:
        return ended
    cleared = leftovers.clear(fleet.admin(), address)
    fleet.desk.forget(address)
    with fleet.registry.change() as change:
        if boxes.known(change, address).state != State.DECOMMISSIONED:
            boxes.set_state(change, address, State.DECOMMISSIONED)
            change.note("box decommissioned", str(address), cleared=len(cleared))
    return Ended(ended.revoked, ended.put_out, cleared)
