"""What `status` says of a box."""

from dataclasses import dataclass

from cleandesk.clock import Clock
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.publication import Publication
from cleandesk.contract.topics import Address, Channel


@dataclass(frozen=True, slots=True)
class Statuses:
    """Words for each state of one box.

    Attributes:
        address: The box.
        clock: For the time in them.
        boot: Id of this power-on.
        version: The software's.
        model: The detector's name and version.
        safe_mode: Why the box is in safe mode; None: it is not.
    """

    address: Address
    clock: Clock
    boot: str
    version: str
    model: str
    safe_mode: str | None

    def of(self, state: Availability) -> Status:
        """Return the message; a last will has no time, as it is sent later."""
        will = state is Availability.OFFLINE
        return Status(
            state=state,
            boot=self.boot,
            version=self.version,
            model=self.model,
            at=None if will else self.clock.now().utc,
            safe_mode=self.safe_mode,
        )

    def publication(self, state: Availability) -> Publication:
        """Return it as it is published, retained."""
        return Publication(
            self.address.topic(Channel.STATUS), self.of(state).to_json(), retain=True
        )
