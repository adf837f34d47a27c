"""The settings of the worker's side: breaks, absence, spot checks, page, button and light."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from cleandesk.settings_base import Name, Settings, TimeZone

Pin = Annotated[int, Field(ge=0, le=27)]


class BreakSettings(Settings):
    """A site's limits on breaks. No break is refused; one beyond a limit is reported."""

    length_s: float | None = Field(
        None, ge=60, le=86_400, description="A longer break is reported; default: any length"
    )
    count_per_day: int | None = Field(
        None, ge=1, le=1000, description="More breaks a day are reported; default: any number"
    )
    timezone: TimeZone = Field("UTC", description="Where midnight is, for the count")


class WorkerSettings(Settings):
    """Whether the worker is at the desk. Nobody is recognised: any person counts."""

    zone: Name | None = Field(
        None, description="Zone where the worker sits; default: none, and absence is not told"
    )
    absent_after_s: float = Field(
        300, ge=30, le=86_400, description="Nobody seen there for so long: absent"
    )


class IdleSettings(Settings):
    """The idle marker: absent, and no input at a computer whose owner runs the companion."""

    enabled: bool = Field(False, description="Send the idle marker")
    after_s: float = Field(600, ge=60, le=86_400, description="No input for so long")


class SpotCheckSettings(Settings):
    """Looks that somebody asks for by MQTT; the worker's page shows each."""

    enabled: bool = Field(True, description="Whether anybody may ask")
    per_hour: int = Field(6, ge=1, le=60, description="How often; more are answered 'busy'")


class PageSettings(Settings):
    """The worker's page, a process and user of its own, joined by a Unix socket."""

    enabled: bool = Field(True, description="Whether the box listens to it")
    socket: Path | None = Field(
        None, description="The socket; default: page.sock beside the outbox"
    )
    group: str | None = Field(
        None, min_length=1, description="Group of the page's user; default: only the box's own user"
    )


class SafeModeSettings(Settings):
    """When a box that crashes again and again stops to look, and only stays on the line."""

    after_starts: int = Field(
        3, ge=1, le=1000, description="So many starts in a row that crashed, of one power-on"
    )
    healthy_after_s: float = Field(
        60, ge=1, le=3600, description="A start that lasted for so long has not crashed"
    )


class GpioSettings(Settings):
    """A push button and a light on the computer's pins, by their BCM numbers."""

    button: Pin | None = Field(
        None, description="Pushed: a break begins or ends; held for 10 s: the page's PIN is reset"
    )
    light: Pin | None = Field(None, description="Is on while the camera runs")
