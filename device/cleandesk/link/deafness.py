"""A connection that only speaks: the broker takes what we send, and nobody's answer comes."""

#: So many times the time-out of an answer: a subscriber's restart is shorter.
_TIMES = 8
_LONGEST_S = 3600.0


class Deafness:
    """Says when to connect anew since no answer comes, more and more rarely until one does.

    A broker may lose a subscription and keep its connection: a node of a cluster that the others
    took for dead and that comes back does. Who goes on waiting there waits for ever. Mostly it is
    the subscriber who is away, though; then a fleet must not connect anew all the time.

    Args:
        ack_timeout_s: An answer is late after so long.
    """

    def __init__(self, ack_timeout_s: float) -> None:
        self._first_s = self._patience_s = _TIMES * ack_timeout_s
        self._answered_at: float | None = None
        self._since: float | None = None

    def suspected(self, *, flowing: bool, answered_at: float | None, now: float) -> bool:
        """Say whether to connect anew; then it is not suspected again for a while.

        Args:
            flowing: No answer is late.
            answered_at: When the last answer came, of time.monotonic(); None: none did.
            now: time.monotonic().
        """
        if answered_at != self._answered_at:
            self._answered_at, self._patience_s, self._since = answered_at, self._first_s, None
        if flowing:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        if now - self._since < self._patience_s:
            return False
        self._since, self._patience_s = None, min(2 * self._patience_s, _LONGEST_S)
        return True
