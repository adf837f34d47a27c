"""Sends e-mail by a mail server."""

import logging
from smtplib import SMTP, SMTP_SSL, SMTPException, SMTPResponseException
from typing import Any

from cleandesk_fleet.subscriber.notices import secret_file
from cleandesk_fleet.subscriber.notices.choosing import Way
from cleandesk_fleet.subscriber.notices.outbox import Message
from cleandesk_fleet.subscriber.notices.sending import NotTakenError, Patience, tls
from cleandesk_fleet.subscriber.notices.settings import MailSettings
from cleandesk_fleet.subscriber.notices.wording import letter

log = logging.getLogger(__name__)


class Mail:
    """Hands each message to one mail server.

    Args:
        settings: Which server, from whom, to whom.

    Raises:
        ConfigError: If the password or the authority cannot be used.
    """

    way = Way.MAIL

    def __init__(self, settings: MailSettings) -> None:
        self.timeout_s = settings.timeout_s
        self._settings = settings
        self._tls = tls(settings.ca, "notices.mail.ca")
        self._password = (
            None
            if settings.password_file is None
            else secret_file.read(settings.password_file, "notices.mail.password_file")
        )

    def send(self, message: Message) -> None:
        """Hand it over; see `Sender.send`. One address that is refused holds up no other one."""
        host = self._settings.host
        try:
            with Patience(self.timeout_s) as patience, self._session(patience) as smtp:
                refused = smtp.send_message(
                    letter(message, self._settings.sender, self._settings.to)
                )
        except (OSError, ValueError, SMTPException) as error:
            raise NotTakenError(
                f"{host}: {_words(error)}: are host, port, encryption, user and addresses of "
                "notices.mail right?"
            ) from error
        if refused:
            log.error(
                "the mail server refused some of notices.mail.to: take them out, or let them in",
                extra={"host": host, "refused": sorted(refused)},
            )

    def _session(self, patience: Patience) -> SMTP:
        """Return a session that is encrypted and signed in as the settings ask for."""
        settings = self._settings
        where = (settings.host, settings.port)
        if settings.encryption == "tls":
            smtp: SMTP = _SmtpTls(patience, where, timeout=self.timeout_s, context=self._tls)
        else:
            smtp = _Smtp(patience, where, timeout=self.timeout_s)
        try:
            if settings.encryption == "starttls":
                smtp.starttls(context=self._tls)
            if settings.user is not None and self._password is not None:
                smtp.login(settings.user, self._password)
        except BaseException:
            smtp.close()
            raise
        return smtp


class _Smtp(SMTP):
    """Is watched from its first byte on, which it waits for while it is made."""

    def __init__(self, patience: Patience, where: tuple[str, int], **options: Any) -> None:
        patience.watch(self)
        super().__init__(*where, **options)


class _SmtpTls(SMTP_SSL):
    """The same, encrypted from its first byte on."""

    def __init__(self, patience: Patience, where: tuple[str, int], **options: Any) -> None:
        patience.watch(self)
        super().__init__(*where, **options)


def _words(error: Exception) -> str:
    """Return what a server said, or what went wrong with it."""
    if isinstance(error, SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        return f"{error.smtp_code} {text}"
    return f"{type(error).__name__}: {error}"
