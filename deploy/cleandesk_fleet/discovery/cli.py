"""`cleandesk-discovery`: tell a Home Assistant of the boxes, or of none any more."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cleandesk.config import ConfigError, load
from cleandesk.contract import tls
from cleandesk.contract.messages import Availability, Status
from cleandesk.contract.mqtt import TlsError
from cleandesk.contract.topics import Address, TopicError
from cleandesk_fleet.discovery.entities import announcement
from cleandesk_fleet.discovery.service import BrokerError, Discovery
from cleandesk_fleet.discovery.settings import DiscoverySettings
from cleandesk_fleet.discovery.topics import config as topic_of
from cleandesk_fleet.services import LogLevel, begin, fail, until_told

app = typer.Typer(
    name="cleandesk-discovery",
    help="Tells a Home Assistant of the boxes, by MQTT discovery. Off unless it is started. "
    "Exit codes: 0 well, 1 failed, 2 wrong configuration or usage.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration, YAML")]


def main() -> None:
    """Run the command line; errors that have a fix are told without a trace."""
    try:
        app()
    except (ConfigError, TlsError, TopicError) as error:
        fail(error, code=2)
    except (BrokerError, OSError) as error:
        fail(error, code=1)


@app.command()
def run(config: ConfigFile, log_level: LogLevel = "info") -> None:
    """Announce boxes until SIGTERM or Ctrl-C; clear those of boxes that are gone."""
    discovery = Discovery(begin(config, DiscoverySettings, log_level))
    until_told(discovery.stop)
    discovery.run()


@app.command()
def check(config: ConfigFile) -> None:
    """Check the configuration and the files that it names; connects to nobody."""
    settings = load(config, DiscoverySettings)
    if settings.broker.tls is not None:
        tls.context(settings.broker.tls)
    typer.echo(f"{config}: fine; announces {', '.join(settings.sites or ['every site'])}")


@app.command()
def show(config: ConfigFile, box: Annotated[str, typer.Argument(help="<site>/<box>")]) -> None:
    """Print what a Home Assistant would be told of a box, as JSON; connects to nobody."""
    settings = load(config, DiscoverySettings)
    site, _, name = box.partition("/")
    address = Address(site, name)
    status = Status(state=Availability.ONLINE, boot="0" * 32, version="", model="")
    payload = json.loads(announcement(address, status, settings.client_id))
    said = {"topic": topic_of(address), "payload": payload}
    typer.echo(json.dumps(said, indent=2, ensure_ascii=False))


@app.command()
def remove(config: ConfigFile) -> None:
    """Clear everything that `run` has announced by this configuration's `client_id`.

    Stop `run` before: it would announce again. What others have announced stays.
    """
    settings = load(config, DiscoverySettings)
    for topic in Discovery(settings, clearing=True).clear():
        typer.echo(f"cleared {topic}")
