"""What this process counts while it works: a few dozen series, whatever the size of the fleet."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version

import prometheus_client as prometheus

from cleandesk.contract.health import Health
from cleandesk.contract.messages import AckStatus, Privacy, Status
from cleandesk.contract.topics import Channel, TopicError, parse
from cleandesk.contract.worker_messages import Idle
from cleandesk_fleet.subscriber.causes import Cause
from cleandesk_fleet.subscriber.intake import (
    Cleared,
    Event,
    Objection,
    Reading,
    Rejected,
    Report,
    StillReading,
)
from cleandesk_fleet.subscriber.transaction import Answer

#: What boxes say about themselves is not answered.
_HEARD = "heard"
_NO_CHANNEL = "none"
_TURNED_AWAY = frozenset({AckStatus.QUARANTINED.value, AckStatus.REFUSED.value})
_CHANNELS: dict[type, str] = {
    Event: Channel.VIOLATION.value,
    Objection: Channel.APPEAL.value,
    StillReading: Channel.STILL.value,
    Status: Channel.STATUS.value,
    Health: Channel.HEALTH.value,
    Privacy: Channel.PRIVACY.value,
    Idle: Channel.IDLE.value,
}
_COMMIT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Figures:
    """The counters of one subscriber; `registry` is what is served."""

    def __init__(self) -> None:
        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        self._messages = self._counter(
            "cleandesk_messages",
            "Deliveries by channel and what became of them",
            "channel",
            "result",
        )
        self._rejected = self._counter(
            "cleandesk_rejected", "Messages that could not be logged, by what was wrong", "cause"
        )
        for cause in Cause:
            self._rejected.labels(cause.value)  # from 0 on: the first ones are an increase, too
        self._failures = self._counter(
            "cleandesk_log_failures", "Commits that the database did not take; they are tried again"
        )
        self._dropped = self._counter(
            "cleandesk_dropped", "Messages of QoS 0 that were too many to be looked at"
        )
        self._notices = self._counter(
            "cleandesk_notices", "Tries to tell people of severe violations", "way", "outcome"
        )
        self._commit_s = prometheus.Histogram(
            "cleandesk_commit_seconds",
            "Reading a batch and committing it, tries that failed included",
            registry=self.registry,
            buckets=_COMMIT_S,
        )
        info = prometheus.Gauge(
            "cleandesk_build_info", "Always 1", ["version"], registry=self.registry
        )
        info.labels(version("cleandesk")).set(1)

    def watch(self, *, connected: Callable[[], bool], judges: Callable[[], bool]) -> None:
        """Say at each look whether the broker is connected, and whether we judge for all."""
        for name, words, asked in (
            ("cleandesk_connected", "Whether the broker is connected", connected),
            ("cleandesk_judges", "Whether this subscriber judges for all of the log", judges),
        ):
            gauge = prometheus.Gauge(name, words, registry=self.registry)
            gauge.set_function(lambda asked=asked: float(asked()))  # type: ignore[misc]

    def took(self, readings: Iterable[Reading], answers: Sequence[Answer], seconds: float) -> None:
        """Count a batch that is committed."""
        self._commit_s.observe(seconds)
        results: Counter[tuple[str, str]] = Counter()
        causes: Counter[str] = Counter()
        for reading, answer in zip(readings, answers, strict=True):
            result = _result(reading, answer)
            results[_channel(reading), result] += 1
            if isinstance(reading, Rejected):
                causes[reading.cause.value] += 1
            elif result in _TURNED_AWAY:
                causes[Cause.CONFLICT.value] += 1
        for labels, times in results.items():
            self._messages.labels(*labels).inc(times)
        for cause, times in causes.items():
            self._rejected.labels(cause).inc(times)

    def log_failed(self) -> None:
        """Count a commit that the database did not take."""
        self._failures.inc()

    def dropped(self, messages: int) -> None:
        """Count messages that nobody looked at."""
        self._dropped.inc(messages)

    def noticed(self, way: str, outcome: str) -> None:
        """Count a try to tell people."""
        self._notices.labels(way, outcome).inc()

    def _counter(self, name: str, words: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(name, words, labels, registry=self.registry)


def _result(reading: Reading, answer: Answer) -> str:
    if answer is not None:
        return answer[1].result.value
    return reading.status.value if isinstance(reading, Rejected) else _HEARD


def _channel(reading: Reading) -> str:
    """Return the channel by its name in the contract; none for what is of no channel."""
    match reading:
        case Report():
            return _CHANNELS[type(reading.message)]
        case Cleared():
            return reading.channel.value
        case Rejected():
            try:
                return parse(reading.topic).channel.value
            except TopicError:
                return _NO_CHANNEL
        case _:
            return _CHANNELS[type(reading)]
