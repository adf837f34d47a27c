"""Where the camera was aimed, without a picture: 195 signs, kept beside the outbox.

The picture is averaged to 12 by 9 cells. Of each two cells that touch it is kept which one is the
brighter, or that neither is: `+`, `-`, `0`. It is made once, when a person says that the aim is
right, and the ledger notes it. A cell is a twelfth of the picture wide, and not even its brightness
is kept: no thing, no writing and no face can be told from it, only whether a camera that looks now
sees the same large shapes. A change of the light changes next to none of the signs.
"""

from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleandesk import durable
from cleandesk.worker.desk import AimUnknownError

_COLUMNS, _ROWS = 12, 9
_PAIRS = _ROWS * (_COLUMNS - 1) + (_ROWS - 1) * _COLUMNS
_LEAST_STEP, _STEP_SHARE = 1.0, 0.15  # grey levels, and of the cells' own spread
_LEAST_COVER = 0.9
#: The most pairs that may be reversed where the camera was not moved. Over 94 pictures of desks, a
#: large thing in a third of the picture reversed up to 9 % in 19 of 20; moving the picture by 12 %
#: of its width reversed 29 % in the middle, and more than 15 % in 19 of 20.
MOST = 0.12


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    form: Literal[1] = 1
    aim: Annotated[str, Field(pattern=rf"^[+0-]{{{_PAIRS}}}$")]


def path_of(outbox: Path) -> Path:
    """Return the file's path: it lies beside the outbox."""
    return outbox.with_name(outbox.name + ".aim")


def read(path: Path) -> str | None:
    """Return the aim that was right; None: nobody has said, or the file is damaged."""
    try:
        content = durable.read(path)
        return None if content is None else _Kept.model_validate_json(content).aim
    except (durable.DamagedError, ValidationError):
        return None


def write(path: Path, aim: str) -> None:
    """Keep the aim that is right.

    Raises:
        AimUnknownError: If the disk does not take it.
    """
    try:
        durable.write(path, _Kept(aim=aim).model_dump_json().encode())
    except OSError as error:
        raise AimUnknownError(f"{path}: {error.strerror}") from error


def signature(grey: NDArray[np.uint8], mask: NDArray[np.uint8]) -> str:
    """Return which of each two cells that touch is the brighter.

    Args:
        grey: The picture, uint8 [height, width].
        mask: Not 0 where it may be looked at, of the same shape; cells outside count as equal.
    """
    size = (_COLUMNS, _ROWS)
    cover = cv2.resize(np.where(mask > 0, 1.0, 0.0), size, interpolation=cv2.INTER_AREA)
    cells = cv2.resize(grey.astype(np.float64), size, interpolation=cv2.INTER_AREA)
    whole = cover >= _LEAST_COVER
    step = max(_LEAST_STEP, _STEP_SHARE * float(cells[whole].std())) if whole.any() else np.inf
    signs: list[str] = []
    for axis in (1, 0):
        rise = np.diff(cells, axis=axis)
        first, second = (np.delete(whole, end, axis=axis) for end in (-1, 0))
        rise = np.where(first & second, rise, 0.0)
        signs += np.where(rise > step, "+", np.where(rise < -step, "-", "0")).ravel().tolist()
    return "".join(signs)


def reversed_share(remembered: str, seen: str) -> float:
    """Return the share of the remembered pairs that are the other way round now."""
    opposite = {"+": "-", "-": "+"}
    pairs = [(was, now) for was, now in zip(remembered, seen, strict=True) if was in opposite]
    return sum(opposite[was] == now for was, now in pairs) / max(1, len(pairs))
