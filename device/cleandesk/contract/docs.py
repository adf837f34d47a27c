"""JSON Schema per topic and an AsyncAPI 3 document, made from the message types.

`python -m cleandesk.contract.docs` writes them beside this file, into `schemas/`; with `--check` it
says instead whether they are current.
"""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cleandesk.contract.commands import (
    BreakRequest,
    BreakResponse,
    RestartRequest,
    RestartResponse,
    RotateKeyRequest,
    RotateKeyResponse,
    SetBreakLimitsRequest,
    SetBreakLimitsResponse,
    SpotCheckRequest,
    SpotCheckResponse,
    StateRequest,
    StateResponse,
)
from cleandesk.contract.config_messages import DesiredConfig, ReportedConfig
from cleandesk.contract.doctor_messages import DoctorRequest, DoctorResponse
from cleandesk.contract.health import Health
from cleandesk.contract.messages import (
    SCHEMA_VERSION,
    Ack,
    ActiveViolation,
    Privacy,
    Status,
    ViolationEvent,
)
from cleandesk.contract.model_messages import ModelRequest, ModelResponse
from cleandesk.contract.publication import REPLAYED
from cleandesk.contract.stills import MAX_STILL, StillHeaders
from cleandesk.contract.topics import NAME_PATTERN, ROOT, Channel, Command, Side
from cleandesk.contract.update_messages import UpdateRequest, UpdateResponse
from cleandesk.contract.worker_messages import Appeal, Idle

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of topic.

    Attributes:
        action: What a box does: `send` or `receive`.
        about: What the types cannot say.
        below: Name of the level below the channel, if it has one.
        command: Which command, on the channel `cmd`.
        side: Who speaks, on the channel `cmd`.
        media: What the payload is, where it is no JSON: then `message` is its user properties.
    """

    channel: Channel
    message: type[BaseModel]
    action: str
    retain: bool
    about: str
    below: str | None = None
    command: Command | None = None
    side: Side | None = None
    media: str | None = None

    @property
    def name(self) -> str:
        """What documents call it: `violation`, `break_request`."""
        if self.command is None or self.side is None:
            return self.channel.value.replace("/", "_")
        return f"{self.command}_{self.side}".replace("-", "_")

    @property
    def address(self) -> str:
        """The topic, with parameters in braces."""
        levels = [ROOT, "{site}", "{box}", self.channel.value]
        if self.below:
            levels.append(f"{{{self.below}}}")
        if self.command is not None and self.side is not None:
            levels += [self.command, self.side]
        return "/".join(levels)


_REQUEST = (
    "Needs a response topic and correlation data; the same correlation is done once. Of far too "
    "many some get no answer."
)
_BREAK = f"Starts a break for the worker; nothing can end one but the worker. {_REQUEST}"
_SPOT_CHECK = (
    "The box looks now, for a while; the worker's page says so. Where stills are on, one of each "
    f"open violation that it saw may follow. {_REQUEST}"
)
_STATE = f"How the box stands; all that it retains is published anew. {_REQUEST}"
_RESTART = f"The box answers, ends in order and begins anew, out of safe mode too. {_REQUEST}"
_LIMITS = f"Changes `breaks` of the running configuration, and keeps it. {_REQUEST}"
_DOCTOR = f"What is wrong with the box, as far as it can tell without waking a camera. {_REQUEST}"
_ROTATE = f"The box makes a new key, has it signed for, and connects anew with it. {_REQUEST}"
_MODEL = (
    "The box fetches a model from its enrolment service, checks and tries it, and begins anew with "
    f"it; or goes back to the model before. `health` tells how it does. {_REQUEST}"
)
_UPDATE = (
    "The box fetches a bundle of its software from its enrolment service, and has it installed, "
    f"tried, and kept or left. `health` tells how it does. {_REQUEST}"
)
_ANSWER = "The answer, with the request's correlation data; to the default topic or the one asked."

TOPICS = (
    Topic(Channel.STATUS, Status, "send", retain=True, about="Also the box's last will."),
    Topic(
        Channel.HEALTH,
        Health,
        "send",
        retain=True,
        about="Every minute, and at once when a fault or a loss begins or ends.",
    ),
    Topic(Channel.PRIVACY, Privacy, "send", retain=True, about="After each change."),
    Topic(
        Channel.VIOLATION,
        ViolationEvent,
        "send",
        retain=False,
        about="Sent until an `ack` names its event_id, byte for byte the same each time; `replayed`"
        " says that it was committed before this connection, or is sent once more. Log it once by "
        "event_id; a gap in seq, within an epoch, is a loss.",
    ),
    Topic(
        Channel.ACTIVE,
        ActiveViolation,
        "send",
        retain=True,
        below="violation_id",
        about="What is open now. An empty payload says that it is closed. It expires after a day, "
        "and is refreshed every hour.",
    ),
    Topic(
        Channel.STILL,
        StillHeaders,
        "send",
        retain=False,
        below="violation_id",
        media="image/jpeg",
        about="Off by default. A redacted picture of the thing, after the worker's delay: a JPEG, "
        "or application/pkcs7-mime, as `media_type` says. Sent until an `ack` names its still_id.",
    ),
    Topic(
        Channel.ACK,
        Ack,
        "receive",
        retain=False,
        about="The subscriber's answer, for every delivery, duplicates too. Each result releases "
        "the event from the box's outbox. It may come at QoS 0: who has no answer asks again.",
    ),
    Topic(
        Channel.APPEAL,
        Appeal,
        "send",
        retain=False,
        about="The worker's objection to a violation; acked like an event.",
    ),
    Topic(
        Channel.IDLE,
        Idle,
        "send",
        retain=False,
        about="Off by default. When the marker begins and when it ends.",
    ),
    Topic(
        Channel.DESIRED,
        DesiredConfig,
        "receive",
        retain=True,
        about="What the site wants the box to look for. Each change has a higher version. The box "
        "answers on `config/reported`, keeps it, and enters the change into the worker's ledger.",
    ),
    Topic(
        Channel.REPORTED,
        ReportedConfig,
        "send",
        retain=True,
        about="What became of `config/desired`, with every reason, and what runs.",
    ),
    *(
        Topic(
            Channel.COMMAND,
            message,
            "receive" if side is Side.REQUEST else "send",
            retain=False,
            command=command,
            side=side,
            about=about,
        )
        for command, side, message, about in (
            (Command.BREAK, Side.REQUEST, BreakRequest, _BREAK),
            (Command.BREAK, Side.RESPONSE, BreakResponse, _ANSWER),
            (Command.SPOT_CHECK, Side.REQUEST, SpotCheckRequest, _SPOT_CHECK),
            (Command.SPOT_CHECK, Side.RESPONSE, SpotCheckResponse, _ANSWER),
            (Command.STATE, Side.REQUEST, StateRequest, _STATE),
            (Command.STATE, Side.RESPONSE, StateResponse, _ANSWER),
            (Command.RESTART, Side.REQUEST, RestartRequest, _RESTART),
            (Command.RESTART, Side.RESPONSE, RestartResponse, _ANSWER),
            (Command.SET_BREAK_LIMITS, Side.REQUEST, SetBreakLimitsRequest, _LIMITS),
            (Command.SET_BREAK_LIMITS, Side.RESPONSE, SetBreakLimitsResponse, _ANSWER),
            (Command.DOCTOR, Side.REQUEST, DoctorRequest, _DOCTOR),
            (Command.DOCTOR, Side.RESPONSE, DoctorResponse, _ANSWER),
            (Command.ROTATE_KEY, Side.REQUEST, RotateKeyRequest, _ROTATE),
            (Command.ROTATE_KEY, Side.RESPONSE, RotateKeyResponse, _ANSWER),
            (Command.MODEL, Side.REQUEST, ModelRequest, _MODEL),
            (Command.MODEL, Side.RESPONSE, ModelResponse, _ANSWER),
            (Command.UPDATE, Side.REQUEST, UpdateRequest, _UPDATE),
            (Command.UPDATE, Side.RESPONSE, UpdateResponse, _ANSWER),
        )
    ),
)

_PARAMETERS = {
    "site": f"Who runs the box; {NAME_PATTERN}",
    "box": f"The box within its site; {NAME_PATTERN}. `<site>/<box>` has at most 64 characters and "
    "is the common name of the box's certificate",
    "violation_id": "32 hexadecimal digits, for life",
}


def schema(topic: Topic) -> dict[str, Any]:
    """Return the JSON Schema of a topic's payload, or of its user properties."""
    made = topic.message.model_json_schema(by_alias=True)
    return {"$schema": _DIALECT, "title": made.pop("title", topic.name), **made}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document, from the view of a box."""
    refs, definitions = models_json_schema(
        [(topic.message, "validation") for topic in TOPICS],
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "cleandesk",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": "What a cleandesk box says and hears over MQTT 5. JSON but for stills, "
            "UTF-8, times in RFC 3339 and UTC. A reader of an older version takes newer messages: "
            "keys may be added, none changes its meaning.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {f"{topic.action}_{topic.name}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {
                topic.name: _message(topic, refs[topic.message, "validation"]) for topic in TOPICS
            },
            "schemas": definitions["$defs"],
        },
    }


def files() -> dict[str, str]:
    """Return the text of each generated file by its name."""
    made = {
        f"{topic.name}.schema.json": json.dumps(schema(topic), indent=2) + "\n" for topic in TOPICS
    }
    made["asyncapi.yaml"] = yaml.safe_dump(
        asyncapi(), sort_keys=False, allow_unicode=True, width=100
    )
    return made


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of generated files that are missing, different, or left over."""
    wanted = files()
    there = {
        file.name: file.read_text(encoding="utf-8") for file in folder.glob("*") if file.is_file()
    }
    return sorted(name for name in wanted.keys() | there if wanted.get(name) != there.get(name))


def write(folder: Path = FOLDER) -> None:
    """Write the generated files."""
    folder.mkdir(exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Write, or with `--check` compare; returns the process's exit code."""
    if list(arguments) not in ([], ["--check"]):
        log.error("usage: python -m cleandesk.contract.docs [--check]")
        return 2
    if not arguments:
        write()
        return 0
    old = stale()
    if old:
        log.error("not current: %s: run python -m cleandesk.contract.docs", ", ".join(old))
    return 1 if old else 0


def _channel(topic: Topic) -> dict[str, Any]:
    names = ["site", "box", *([topic.below] if topic.below else [])]
    return {
        "address": topic.address,
        "description": topic.about,
        "parameters": {name: {"description": _PARAMETERS[name]} for name in names},
        "messages": {topic.name: {"$ref": f"#/components/messages/{topic.name}"}},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": topic.action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "bindings": {"mqtt": {"qos": 1, "retain": topic.retain}},
    }


def _message(topic: Topic, payload: dict[str, Any]) -> dict[str, Any]:
    if topic.media is not None:
        payload = {"allOf": [payload], "description": "MQTT 5 user properties, as text"}
        picture = {"type": "string", "format": "binary", "maxLength": MAX_STILL}
        return {"contentType": topic.media, "headers": payload, "payload": picture}
    message: dict[str, Any] = {"contentType": "application/json"}
    if topic.channel is Channel.VIOLATION:
        name, value = REPLAYED
        message["headers"] = {
            "type": "object",
            "description": "MQTT 5 user properties",
            "properties": {name: {"type": "string", "const": value}},
        }
    return {**message, "payload": payload}


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    sys.exit(main(sys.argv[1:]))
