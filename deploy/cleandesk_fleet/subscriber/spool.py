"""What is read from the log is read to its end before anybody looks at it.

A person pages through it for hours. A transaction that lasts as long keeps PostgreSQL from clearing
away what has changed since, of all tables, and a month of events from going after its time.
"""

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from cleandesk_fleet.subscriber.queries import Row

#: What is more lies in a file without a name, which goes with the program.
_IN_MEMORY = 16 << 20


def spooled(rows: Iterable[Row]) -> Iterator[Row]:
    """Read all rows, and return them once more.

    Args:
        rows: As a query yields them.

    Raises:
        OSError: If there is no room for them.
    """
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed at the end
    try:
        for row in rows:
            pickle.dump(row, file)
        file.seek(0)
    except OSError as error:
        file.close()
        why = f"{error.strerror}: name a folder with room in TMPDIR, or list less (--limit)"
        raise OSError(error.errno, why, tempfile.gettempdir()) from error
    except BaseException:
        file.close()
        raise
    return _once_more(file)


def _once_more(file: IO[bytes]) -> Iterator[Row]:
    with file:
        while True:
            try:
                row: Row = pickle.load(file)  # noqa: S301 - our own, from just before
            except EOFError:
                return
            yield row
