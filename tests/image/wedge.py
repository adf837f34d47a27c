"""Starts the box's program with one of its threads made to hang for ever, as a bug would have it.

`python wedge.py PLACE AFTER_S FLAG run --config …`: after so many seconds in the place, unless the file
FLAG is there, which is made then: so the box's next start is well.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cleandesk.camera.area import Area
from cleandesk.cli import main
from cleandesk.control import Control
from cleandesk.link import Outbox

#: A method that each thread runs in each of its turns.
PLACES: dict[str, tuple[type, str]] = {
    "loop": (Control, "step"),
    "link": (Outbox, "tick"),
    "capture": (Area, "blank"),
}


def _wedged(method: Callable[..., Any], at: float, flag: Path) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        if time.monotonic() > at and not flag.exists():
            flag.touch()
            threading.Event().wait()
        return method(*args, **more)

    return call


if __name__ == "__main__":
    place, after_s, flag = sys.argv[1:4]
    kind, name = PLACES[place]
    wedged = _wedged(getattr(kind, name), time.monotonic() + float(after_s), Path(flag))
    setattr(kind, name, wedged)
    sys.argv[1:] = sys.argv[4:]
    main()
