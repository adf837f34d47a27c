"""Making boxes: entered, labelled, and given a claim; what is there already is left as it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cleandesk.contract import pin_hash
from cleandesk.contract.topics import Address
from cleandesk_fleet.provision import boxes, pins
from cleandesk_fleet.provision.boxes import State
from cleandesk_fleet.provision.change import Change
from cleandesk_fleet.provision.fleet import Fleet
from cleandesk_fleet.provision.label import Label, write_pdf


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a request for a box.

    Attributes:
        new: Whether it has a new label and a new claim.
        state: Where it is in its life.
        folder: Where its label and claim are.
    """

    address: Address
    new: bool
    state: str
    folder: Path


def numbered(site: str, prefix: str, count: int) -> list[Address]:
    """Return so many boxes' addresses, from `<prefix>-001` on.

    Raises:
        TopicError: If one is no name.
    """
    return [Address(site, f"{prefix}-{number:03}") for number in range(1, count + 1)]


def make(fleet: Fleet, addresses: Iterable[Address], *, again: bool) -> Iterator[Made]:
    """Make boxes, one after the other; each is whole when it is yielded.

    Args:
        fleet: The fleet.
        addresses: The boxes.
        again: Also those that are there get a new label and a new claim.

    Raises:
        UnknownNameError: If there is no such site.
        ConflictError: If one was decommissioned.
        UsageError: If the name of one that is not there yet is too long.
    """
    for address in addresses:
        yield _make(fleet, address, again=again)


def _make(fleet: Fleet, address: Address, *, again: bool) -> Made:
    folder = fleet.desk.of(address)
    with fleet.registry.change() as change:
        kept = None if again else _kept(fleet, change, address)
    if kept is not None:
        return Made(address, False, kept, folder)
    # Both take their time, in which others may want to write.
    pin = pins.new_pin()
    label = pin_hash.hashed(pin)
    with fleet.registry.change() as change:
        row = boxes.find(change, address)
        if row is None:
            boxes.add_box(change, address, label)
        else:
            boxes.relabel(change, address, label)
        claim = boxes.new_claim(change, address, timedelta(hours=fleet.settings.claim_hours))
    # Should it be cut off here, the claim does not lie there, and the next call makes another.
    if not fleet.registry.dry:
        fleet.desk.put(claim, Label(address, pin), label, fleet.service)
    return Made(address, True, State.NEW if row is None else row.state, folder)


def _kept(fleet: Fleet, change: Change, address: Address) -> str | None:
    """Return the state of a box that is left as it is; None if it needs a label and a claim."""
    row = boxes.find(change, address)
    if row is None:
        return None
    waits = boxes.open_claim(change, address) is not None and fleet.desk.holds(address)
    return str(row.state) if waits or row.state != State.NEW else None


def sheet(fleet: Fleet, site: str, made: Iterable[Made]) -> Path | None:
    """Write the labels of new boxes as one PDF; returns where, or None if there are none."""
    pictures = [one.folder / "label.png" for one in made if one.new]
    if not pictures or fleet.registry.dry:
        return None
    path = fleet.desk.folder / site / "labels.pdf"
    write_pdf(pictures, path)
    return path
