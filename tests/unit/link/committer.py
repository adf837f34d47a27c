"""A process that commits until it is killed, and says what it has: `committer.py PATH LIMIT`.

Each line on stdout is one event that `commit` returned for: `epoch seq event_id`, or one that is
about to be, or was, released: `settling` or `settled` in place of the epoch. With a LIMIT, in
bytes, no file may grow beyond it, as on a disk that is full.
"""

import json
import resource
import signal
import sys
from pathlib import Path

from tests.unit.link.make import acks, change, closed, commit, everything, new_id, outbox


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def main() -> None:
    path, limit = Path(sys.argv[1]), int(sys.argv[2])
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    box = outbox(path)
    told = 0
    while True:
        id_ = new_id()
        commit(box, change(id_), closed(id_))
        for event in box.pending(after=told, limit=100):
            told = event.id
            message = json.loads(event.payload)
            say(message["epoch"], message["seq"], event.event_id)
        waiting = everything(box)
        if len(waiting) > 20:
            for word in ("settling", "settled"):
                for event in waiting[:7]:
                    say(word, 0, event.event_id)
                box.settle(acks(waiting[:7]))
        if limit and box.health().storage != "ok" and box.health().lost:
            say(box.health().model_dump_json())
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            commit(box)
            for _ in range(2):
                box.tick()
            say(box.health().model_dump_json())
            box.close()
            return


if __name__ == "__main__":
    main()
