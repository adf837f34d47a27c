"""A writer of the log that freezes itself (SIGSTOP), where it is told to; run as a program.

Usage: python -m tests.unit.subscriber.frozen_writer URL idle|writing|copying
"""

import os
import signal
import sys

import psycopg
from sqlalchemy import make_url

from cleandesk_fleet.subscriber.database import bulk, leads, open_writer, postgresql
from cleandesk_fleet.subscriber.rows import box_key
from cleandesk_fleet.subscriber.tables import boxes
from tests.unit.subscriber.make import BOX

#: A test need not wait for as long as a busy machine may be slow.
SOON_S = 3


def freeze() -> None:
    sys.stdout.write("frozen\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSTOP)


def main(url: str, where: str) -> None:
    postgresql.FROZEN_S = SOON_S
    engine = open_writer(make_url(url), redundant=True)
    with engine.begin() as connection:
        assert leads(connection, wanted=True)
    if where == "idle":
        freeze()
    with engine.begin() as connection:
        bulk.lock(connection, boxes, ("site", "box"), [box_key(BOX)])
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        if where == "copying":
            with raw.cursor().copy("COPY boxes (site, box) FROM STDIN") as copy:
                copy.write_row(("s1", "b9"))
                freeze()
        elif where == "writing":
            freeze()


if __name__ == "__main__":
    main(*sys.argv[1:])
