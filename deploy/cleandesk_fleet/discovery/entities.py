"""What a Home Assistant is told of a box: one device, its entities, and where they are read.

Source: Home Assistant's documentation of MQTT discovery, device payload (`dev`, `o`, `cmps`, in its
abbreviations), and of the platforms binary_sensor, event and sensor.

Nothing is told that the box does not publish anyway; of people neither words nor reasons.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from cleandesk import __version__
from cleandesk.contract.messages import Availability, Phase, PrivacyState, Status
from cleandesk.contract.topics import Address, Channel
from cleandesk_fleet.discovery import topics

ORIGIN = "cleandesk"
ONLINE, OFFLINE = "online", "offline"
_BINARY, _EVENT, _SENSOR = "binary_sensor", "event", "sensor"
#: What a violation is about, but for its place, score and times.
_OF_A_VIOLATION = ("rule", "class", "zone", "severity")


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity.

    Attributes:
        key: Its id within the device.
        platform: Of Home Assistant.
        channel: Where its state comes from; None: from the count that we keep.
        template: Makes its state of that message; Jinja.
        more: Further keys, in Home Assistant's abbreviations.
    """

    key: str
    platform: str
    name: str
    channel: Channel | None
    template: str
    more: dict[str, object] = field(default_factory=dict)


def _figure(key: str, name: str, path: str, **more: object) -> Entity:
    """Return a figure of `health`; what the box does not know is unknown."""
    *above, last = path.split(".")
    holder = ".".join(["value_json", *above])
    template = f"{{{{ {holder}.get('{last}', none) }}}}"
    return Entity(key, _SENSOR, name, Channel.HEALTH, template, {"ent_cat": "diagnostic"} | more)


def _problem(key: str, name: str, channel: Channel | None, condition: str) -> Entity:
    template = f"{{{{ 'ON' if {condition} else 'OFF' }}}}"
    more: dict[str, object] = {"dev_cla": "problem"}
    if channel is not None:
        more["ent_cat"] = "diagnostic"
    return Entity(key, _BINARY, name, channel, template, more)


def _event_template() -> str:
    told = ", ".join(f"'{key}': value_json.get('{key}')" for key in _OF_A_VIOLATION)
    return f"{{{{ {{'event_type': value_json.phase, {told}}} | to_json }}}}"


_MEASURED: dict[str, object] = {"stat_cla": "measurement"}
_COUNTED: dict[str, object] = {"stat_cla": "total_increasing"}
ENTITIES = (
    _problem("open", "Violation open", None, "value_json.open > 0"),
    Entity("open_count", _SENSOR, "Open violations", None, "{{ value_json.open }}", _MEASURED),
    Entity(
        "violation",
        _EVENT,
        "Violation",
        Channel.VIOLATION,
        _event_template(),
        {"evt_typ": [*Phase]},
    ),
    Entity(
        "privacy",
        _SENSOR,
        "Privacy",
        Channel.PRIVACY,
        "{{ value_json.state }}",
        {"dev_cla": "enum", "ops": [*PrivacyState]},
    ),
    _problem("fault", "Camera fault", Channel.HEALTH, "value_json.camera.get('fault')"),
    _problem("safe_mode", "Safe mode", Channel.STATUS, "value_json.get('safe_mode')"),
    _figure("looks_per_s", "Looks per second", "camera.fps", unit_of_meas="1/s", **_MEASURED),
    _figure("dropped", "Dropped frames", "camera.dropped", **_COUNTED),
    _figure("waiting", "Messages that wait", "outbox.depth", **_MEASURED),
    _figure("lost", "Lost events", "outbox.lost", **_COUNTED),
    _figure(
        "temperature",
        "Temperature",
        "temperature_c",
        dev_cla="temperature",
        unit_of_meas="°C",
        **_MEASURED,
    ),
    _figure("memory", "Memory", "memory_mb", dev_cla="data_size", unit_of_meas="MB", **_MEASURED),
)


def announcement(address: Address, status: Status, publisher: str) -> bytes:
    """Return the one message that announces a box, UTF-8 JSON.

    Args:
        address: The box's.
        status: What it says of itself.
        publisher: Our own name: it marks the message as ours.
    """
    box, ours = _box_is_there(address), _we_are_there(publisher)
    device = topics.device_id(address)
    payload = {
        "dev": {
            "ids": [device],
            "name": f"{address.site} {address.box}",
            "mf": ORIGIN,
            "mdl": status.model,
            "sw": status.version,
        },
        "o": {"name": ORIGIN, "sw": __version__},
        "avty": [box, ours],
        "avty_mode": "all",
        "cmps": {one.key: _component(one, address, device) for one in ENTITIES},
    }
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def is_ours(payload: bytes, publisher: str) -> bool:
    """Say whether an announcement was made by this publisher, and by nobody else."""
    try:
        said = json.loads(payload)
        return bool(
            said["o"]["name"] == ORIGIN and _we_are_there(publisher) in _listed(said["avty"])
        )
    except (ValueError, RecursionError, LookupError, TypeError):
        return False


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _component(one: Entity, address: Address, device: str) -> dict[str, object]:
    own = topics.state(device)
    return {
        "p": one.platform,
        "name": one.name,
        "uniq_id": f"{device}_{one.key}",
        "stat_t": own if one.channel is None else address.topic(one.channel),
        "val_tpl": one.template,
        "qos": 1,
        **one.more,
    }


def _box_is_there(address: Address) -> dict[str, str]:
    template = (
        f"{{{{ '{ONLINE}' if value_json.state == '{Availability.ONLINE}' else '{OFFLINE}' }}}}"
    )
    return {"t": address.topic(Channel.STATUS), "val_tpl": template}


def _we_are_there(publisher: str) -> dict[str, str]:
    return {"t": topics.state(publisher)}
