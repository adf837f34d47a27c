"""Figures as JSON holds them."""

import math
from dataclasses import fields, is_dataclass
from typing import Any


def plain(value: Any) -> Any:
    """Make values that `json.dumps` takes of figures.

    Dataclasses become objects, NaN becomes null, and a pair that is a key "said -> truly".
    `dataclasses.asdict` will not do: before Python 3.12 it counts a Counter's rows anew.

    Example:
        >>> plain({("phone", "wallet"): float("nan"), "pen": (1, 2)})
        {'phone -> wallet': None, 'pen': [1, 2]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {_key(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _key(key: Any) -> str:
    return " -> ".join(key) if isinstance(key, tuple) else str(key)
