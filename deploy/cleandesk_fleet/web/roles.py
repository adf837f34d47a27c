"""Who may do what: each role may do what the one before may, and more."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do.

    `viewer`: sees boxes, violations and rates. `reviewer`: sees stills and decides about appeals,
    too. `admin`: sees who did what, and looks after accounts, too.
    """

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ADMIN = "admin"

    def may(self, needed: "Role") -> bool:
        """Say whether this role may do what another one may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)
