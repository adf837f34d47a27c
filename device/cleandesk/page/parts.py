"""What the page is made of, for its views."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from cleandesk.clock import Clock
from cleandesk.page.client import BoxClient
from cleandesk.page.entrance import Entrance
from cleandesk.page.settings import PageSettings
from cleandesk.page.texts import Texts
from cleandesk.page.viewers import Viewers


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the views need.

    Attributes:
        fingerprint: Of the page's certificate.
        viewers: Who watches live.
    """

    settings: PageSettings
    entrance: Entrance
    box: BoxClient
    texts: Texts
    templates: Environment
    clock: Clock
    fingerprint: str
    viewers: Viewers


def templates() -> Environment:
    """Return the templates: all is escaped, and a name that is not there is an error."""
    return Environment(
        loader=PackageLoader("cleandesk.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
