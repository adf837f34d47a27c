"""A writer of the log that freezes itself (SIGSTOP), where it is told to; run as a program.

Usage: python -m tests.unit.subscriber.frozen_writer URL idle|writing|copying
"""

import os
import signal
import sys

import psycopg
from sqlalchemy import make_url

from cleandesk_fleet.subscriber.database import bulk, leads, open_writer
from cleandesk_fleet.subscriber.rows import Rows, box_key
from cleandesk_fleet.subscriber.tables import boxes
from tests.unit.subscriber.make import BOX


def freeze() -> None:
    sys.stdout.write("frozen\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSTOP)


def main(url: str, where: str) -> None:
    engine = open_writer(make_url(url))
    with engine.begin() as connection:
        assert leads(connection, wanted=True)
    if where == "idle":
        freeze()
    with engine.begin() as connection:
        assert Rows(connection, boxes, [box_key(BOX)]).get(box_key(BOX))
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
