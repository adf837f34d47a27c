"""The process: one MQTT session, and what it hears and says."""

import logging
import threading

from cleandesk.contract import reasons
from cleandesk.contract.mqtt import NotConnectedError, Publication, Received, Session
from cleandesk_fleet.discovery.announcer import Announcer
from cleandesk_fleet.discovery.settings import DiscoverySettings

log = logging.getLogger(__name__)

_PATIENCE_S = 30.0


class BrokerError(Exception):
    """The broker does not do what was asked for; the text names the fix."""


class Discovery:
    """Announces boxes until `stop`, or clears what it announced.

    Args:
        settings: The configuration.
        clearing: Announce nobody, and clear what is ours.

    Raises:
        TlsError: If the TLS files cannot be used.
    """

    def __init__(self, settings: DiscoverySettings, *, clearing: bool = False) -> None:
        self._announcer = Announcer(settings, clearing=clearing)
        self._stopped, self._heard = threading.Event(), threading.Event()
        self._cleared: list[str] = []
        self._refused = False
        self._session = Session(
            settings.broker,
            settings.client_id,
            will=self._announcer.end(),
            subscriptions=settings.subscriptions(),
            on_message=self._on_message,
            on_connect=self._on_connect,
            on_puback=self._on_puback,
        )

    def run(self) -> None:
        """Announce until `stop`; what is announced stays, as not available."""
        self._session.start()
        self._stopped.wait()
        self._session.stop(self._announcer.end())

    def stop(self) -> None:
        """End `run`; callable from a signal handler or another thread."""
        self._stopped.set()

    def clear(self) -> list[str]:
        """Clear what is ours; returns the topics.

        Raises:
            BrokerError: The broker does not answer, or refuses.
        """
        self._session.start()
        heard = self._heard.wait(_PATIENCE_S)
        # The broker has taken what was sent before, once it answers this.
        self._session.stop(self._announcer.end(), timeout_s=_PATIENCE_S)
        if not heard or self._refused:
            what = "refuses" if self._refused else "does not answer"
            raise BrokerError(
                f"the broker {what}: is it up, and has this certificate the role 'discovery'?"
            )
        return sorted(self._cleared)

    def _on_connect(self) -> None:
        self._say(self._announcer.begin())

    def _on_message(self, received: Received) -> None:
        for publication in self._announcer.take(received):
            self._say(publication)
        if self._announcer.whole:
            self._heard.set()

    def _say(self, publication: Publication) -> None:
        try:
            self._session.publish(publication)
        except NotConnectedError:
            return  # the next connection begins with what the broker has
        if not publication.payload:
            self._cleared.append(publication.topic)

    def _on_puback(self, _mid: int, code: int) -> None:
        if code >= reasons.FAILURE:
            self._refused = True
            log.error(
                "the broker refuses an announcement: give this certificate the role 'discovery'",
                extra={"code": code},
            )
