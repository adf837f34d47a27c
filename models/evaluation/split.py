"""Which half of the real pictures one belongs to: thresholds are chosen on one, told on the other.

`split.json` lists what `half_of` says, so that the halves can be seen and never move unseen.
"""

from hashlib import sha256
from typing import Literal


def half_of(file_name: str) -> Literal["choose", "report"]:
    """Tell by the name alone, so that no look at a picture or a score can move it.

    Args:
        file_name: Without folders, as in the labels' `file_name`.

    Returns:
        `choose` if the first byte of the SHA-256 of the UTF-8 name is even, else `report`.
    """
    return "choose" if sha256(file_name.encode()).digest()[0] % 2 == 0 else "report"
