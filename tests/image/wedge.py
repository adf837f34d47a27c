"""Starts the box's program with one of its threads made to hang for ever, as a bug would have it.

`python wedge.py FLAG run --config …`: the thread of a place hangs once the file `FLAG.<place>` is
there, which it takes away before: so the next start is well.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cleandesk.cli import main
from cleandesk.control import Control
from cleandesk.link import Outbox

#: A method that each thread runs in each of its turns.
PLACES: dict[str, tuple[type, str]] = {"loop": (Control, "step"), "link": (Outbox, "tick")}


def _wedged(method: Callable[..., Any], flag: Path) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        if flag.exists():
            flag.unlink()
            threading.Event().wait()
        return method(*args, **more)

    return call


if __name__ == "__main__":
    for place, (kind, name) in PLACES.items():
        setattr(kind, name, _wedged(getattr(kind, name), Path(f"{sys.argv[1]}.{place}")))
    del sys.argv[1]
    main()
