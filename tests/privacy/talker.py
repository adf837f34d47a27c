"""A box's outbox and link that say random things about a worker until they are killed.

`talker.py PATH PORT SEED COUNT`: a line on stdout for each thing said. After the last one it waits
until all is settled, and leaves in order.
"""

import random
import sys
import time
from pathlib import Path

from cleandesk.clock import SystemClock
from cleandesk.contract.messages import Phase, PrivacyState
from cleandesk.link import Outbox
from cleandesk.settings import OutboxSettings
from tests.eventually import eventually
from tests.unit.link.make import (
    ADDRESS,
    BOOT,
    appeal,
    change,
    closed,
    commit,
    idle,
    new_id,
    new_link,
    privacy,
    response,
    still,
)


def say_something(box: Outbox, rng: random.Random, number: int) -> None:
    """Commit or say one thing, of all the kinds that there are."""
    open_ids = [one.violation_id for one in box.open_violations()]
    some = rng.choice(open_ids) if open_ids else new_id()
    match rng.randrange(9):
        case 0 | 1:
            commit(box, change())
        case 2:
            commit(box, change(some, Phase.UPDATE if open_ids else Phase.OPEN))
        case 3 | 4:
            commit(box, *([closed(some)] if open_ids else []), state=str(number).encode())
        case 5:
            box.say(privacy(number, rng.choice(list(PrivacyState))))
        case 6:
            box.say(still(some, number), hold_s=rng.choice([0, 0.05, 0.5]))
        case 7:
            box.say(appeal(some))
        case _:
            box.say(rng.choice([idle(number), response(rng.randbytes(8)), response()]))


def main() -> None:
    path, port, seed, count = Path(sys.argv[1]), *map(int, sys.argv[2:])
    rng = random.Random(seed)
    box = Outbox(OutboxSettings(path=path), ADDRESS, boot=BOOT, clock=SystemClock())
    link = new_link(box, port)
    link.start()
    for number in range(count):
        say_something(box, rng, seed * 10_000 + number)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        time.sleep(rng.choice([0, 0, 0.002, 0.02]))
    eventually(lambda: not box._book.pages.papers, "what is held back, and its answers")
    sys.stdout.write("settled\n" if link.wait_drained(60) else "unsettled\n")
    link.stop()
    box.close()


if __name__ == "__main__":
    main()
