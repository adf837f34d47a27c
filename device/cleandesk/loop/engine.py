"""The thread in which the model runs: it never waits for what is made of its answers."""

import queue
import threading

from cleandesk.loop.looker import Glance, Looker
from cleandesk.loop.preparer import Ready
from cleandesk.loop.tray import Tray

_NOTICE_S = 0.5


class Engine:
    """Takes what is ready, has the looker glance at it, and hands the glances on in their order.

    Args:
        tray: Where frames are made ready.
        looker: Its `judge` is the business of whoever takes the glances.
    """

    def __init__(self, tray: Tray[Ready], looker: Looker) -> None:
        self._tray, self._looker = tray, looker
        self._glances: queue.SimpleQueue[Glance | Exception] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="infer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it has not handed on is thrown away."""
        self._stop.set()
        self._tray.clear()
        self._looker.stop()
        if self._thread.is_alive():
            self._thread.join()

    def take(self, timeout_s: float) -> Glance | None:
        """Take the next glance, waiting for it so long; None if none came.

        Raises:
            Exception: What ended the thread.
        """
        try:
            glance = self._glances.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(glance, Exception):
            raise glance
        return glance

    @property
    def idle(self) -> bool:
        """Whether all that was made ready so far was judged."""
        return self._tray.drained(self._looker.judged)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                ready = self._tray.take(_NOTICE_S)
                if ready is not None:
                    self._glances.put(self._looker.glance(ready))
        except Exception as error:  # noqa: BLE001 - it is raised where the glances are taken
            self._glances.put(error)
