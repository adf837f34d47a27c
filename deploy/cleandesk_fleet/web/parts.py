"""What the page is made of, for its views."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from cleandesk_fleet.subscriber.moments import Clock
from cleandesk_fleet.subscriber.pictures import Pictures
from cleandesk_fleet.web.audit import Trail
from cleandesk_fleet.web.entrance import Entrance
from cleandesk_fleet.web.proxy import Proxy
from cleandesk_fleet.web.settings import WebSettings
from cleandesk_fleet.web.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the views need.

    Attributes:
        proxy: Who lets people in; None: the page's own accounts do.
        pictures: The folder of stills.
    """

    settings: WebSettings
    store: Store
    trail: Trail
    entrance: Entrance
    proxy: Proxy | None
    pictures: Pictures
    templates: Environment
    clock: Clock


def templates() -> Environment:
    """Return the templates: all is escaped, and a name that is not there is an error."""
    return Environment(
        loader=PackageLoader("cleandesk_fleet.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
