"""Having a box look with another model: asked for over the broker, and waited for."""

import secrets

from cleandesk.contract.commands import Outcome
from cleandesk.contract.model_messages import BoxModel, ModelRequest, ModelResponse
from cleandesk.contract.topics import Address, Command
from cleandesk_fleet.provision import boxes
from cleandesk_fleet.provision.artefacts import Artefact
from cleandesk_fleet.provision.asking import Line, Tell
from cleandesk_fleet.provision.errors import BoxError
from cleandesk_fleet.provision.fleet import Fleet

_BYTES = 16


def request_of(one: Artefact | None) -> ModelRequest:
    """Return the request for a published model; None: for the model before."""
    if one is None:
        return ModelRequest(rollback=True)
    return ModelRequest(
        artefact=one.file,
        version=one.listing.version,
        sha256=one.sha256,
        size=len(one.content),
    )


def send(
    fleet: Fleet, address: Address, one: Artefact | None, *, wait_s: float, tell: Tell
) -> BoxModel:
    """Have a box take another model; returns what it begins anew with.

    Asked for a model that runs already, a box changes nothing, so a call may be repeated.

    Args:
        fleet: The fleet.
        address: The box.
        one: The model; None: the one before.
        wait_s: Wait so long for the box, seconds.
        tell: Told what is waited for.

    Raises:
        UnknownNameError: If there is no such box.
        OfflineError: If it is not there, or does not answer in time.
        BoxError: If it says no.
        BrokerError: If the broker is away.
    """
    with fleet.registry.change() as change:
        boxes.known(change, address)
    with Line(fleet.admin(), address, Command.MODEL) as line:
        correlation = secrets.token_bytes(_BYTES)
        said = line.ask(request_of(one), ModelResponse, correlation, wait_s=wait_s, tell=tell)
    did = "model sent" if one else "model taken back"
    with fleet.registry.change() as change:
        change.note(did, str(address), outcome=said.outcome, detail=said.detail)
    if said.outcome is not Outcome.DONE or said.model is None:
        raise BoxError(
            f"{address} keeps its model ({said.outcome}): {said.detail or 'it said no more'}"
        )
    return said.model
