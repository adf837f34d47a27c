"""Having boxes take an update: who is meant, who is asked, and what they say."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from cleandesk.contract.topics import Address, Command
from cleandesk.contract.update_messages import UpdateRequest, UpdateResponse
from cleandesk_fleet.provision import boxes, rollout
from cleandesk_fleet.provision.asking import Tell
from cleandesk_fleet.provision.boxes import State
from cleandesk_fleet.provision.bundles import Bundle
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.crowd import Asked, Crowd
from cleandesk_fleet.provision.errors import UnknownNameError
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.glancing import glance
from cleandesk_fleet.provision.tables import boxes as table


def request_of(one: Bundle, *, again: bool) -> UpdateRequest:
    """Return the request for a published bundle."""
    return UpdateRequest(
        artefact=one.file, version=one.version, sha256=one.sha256, size=one.size, again=again
    )


def meant(fleet: Fleet, target: str) -> list[Address]:
    """Return the enrolled boxes that a target names.

    Args:
        fleet: The fleet.
        target: `<site>/<box>`, `<site>`, or `all`.

    Raises:
        UnknownNameError: If there are none.
        TopicError: If it is no name.
    """
    site, slash, box = target.partition("/")
    with fleet.registry.change() as change:
        if slash:
            boxes.known(change, Address(site, box))
        elif target != boxes.ALL:
            boxes.known_site(change, target)
        found = _enrolled(change)
    if slash:
        found = [one for one in found if one == Address(site, box)]
    elif target != boxes.ALL:
        found = [one for one in found if one.site == site]
    if not found:
        raise UnknownNameError(
            f"{target}: no box of it has enrolled: `cleandesk-provision list` says how each stands"
        )
    return found


def _enrolled(change: Change) -> list[Address]:
    rows = change.connection.execute(
        select(table.c.site, table.c.box).where(table.c.state == State.ENROLLED.value)
    )
    return [Address(row.site, row.box) for row in rows]


def send(
    fleet: Fleet,
    addresses: Sequence[Address],
    one: Bundle,
    *,
    again: bool,
    wait_s: float,
    tell: Tell,
) -> Sequence[Asked[UpdateResponse]]:
    """Ask boxes to take a bundle; returns what each said within the time.

    A box that runs it already, or is at it, changes nothing, so a call may be repeated.

    Args:
        fleet: The fleet.
        addresses: The boxes.
        one: The bundle, which is published.
        again: Boxes that tried it and left it try it once more.
        wait_s: Wait so long for answers, seconds.
        tell: Told what is waited for.

    Raises:
        BrokerError: If the broker is away, or does not let the administrator ask.
    """
    crowd = Crowd(fleet.admin(), Command.UPDATE, UpdateResponse, addresses)
    asked = crowd.ask(request_of(one, again=again), wait_s=wait_s, tell=tell)
    with fleet.registry.change() as change:
        for each in asked:
            said = each.answer
            change.note(
                "update sent",
                str(each.address),
                artefact=one.file,
                result=rollout.result_of(each, one.version).value,
                detail=None if said is None else said.detail,
            )
    return asked


def status(fleet: Fleet, addresses: Sequence[Address]) -> list[Mapping[str, object]]:
    """Return how the software of boxes stands, by what they said last.

    Raises:
        BrokerError: If the broker does not take the administrator, or does not answer.
    """
    ordered = sorted(addresses, key=str)
    known = glance(fleet.admin(), ordered)
    return [rollout.standing_of(known[address]) for address in ordered]
