"""The topics below `homeassistant/device/`: built here, parsed here, nowhere else."""

import re

from cleandesk.contract.topics import Address, TopicError

#: Where Home Assistant looks for whole devices, unless it was told otherwise.
ROOT = "homeassistant/device"
_PREFIX = "cleandesk"
_CONFIG = re.compile(rf"^{ROOT}/{_PREFIX}_([a-z0-9-]+)_([a-z0-9-]+)/config$")


def device_id(address: Address) -> str:
    """Return a box's id: names have no `_`, so that no two boxes share one."""
    return f"{_PREFIX}_{address.site}_{address.box}"


def config(address: Address) -> str:
    """Return where a box is announced."""
    return f"{ROOT}/{device_id(address)}/config"


def state(name: str) -> str:
    """Return where a box's count is told, by its id, or whether we are there, by our own name."""
    return f"{ROOT}/{name}/state"


def address_of(topic: str) -> Address | None:
    """Return whose announcement it is; None: it is no box's."""
    found = _CONFIG.fullmatch(topic)
    if found is None:
        return None
    try:
        return Address(*found.groups())
    except TopicError:
        return None
