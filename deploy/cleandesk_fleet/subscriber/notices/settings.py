"""Whom to tell of severe violations, and how."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from cleandesk.contract.messages import Severity
from cleandesk_fleet.subscriber.settings_base import Settings, Site

Address = Annotated[str, Field(pattern=r"^[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,190}$")]
_TIMEOUT = "Give up on one try after so long without a word; three times as long in all"


class WebhookSettings(Settings):
    """An address that is posted to, signed as Standard Webhooks asks for."""

    url: str = Field(description="https://…; plain http only to this machine")
    secret_file: Path = Field(
        description="File of mode 0600 with the key that signs, as the receiver has it: whsec_ and "
        "the base64 of 24 to 64 bytes (echo whsec_$(openssl rand -base64 32))"
    )
    ca: Path | None = Field(
        None, description="The authority that signed its certificate, PEM; default: the system's"
    )
    timeout_s: float = Field(10, gt=0, le=60, description=_TIMEOUT)

    @field_validator("url")
    @classmethod
    def _is_encrypted(cls, url: str) -> str:
        parts = urlsplit(url)
        if not url.isascii() or any(char <= " " for char in url):
            raise ValueError("write it in ASCII, without blanks")
        if parts.username is not None or parts.password is not None:
            raise ValueError("leave out the password: what is posted is signed instead")
        if not parts.hostname or parts.scheme not in {"http", "https"} or parts.port == 0:
            raise ValueError("write https://host/path")
        if parts.scheme == "http" and not is_this_machine(parts.hostname):
            raise ValueError("write https: plain http is for this machine only")
        return url


class MailSettings(Settings):
    """A mail server that takes what we send."""

    host: str = Field(min_length=1, description="Name of the mail server")
    port: int = Field(587, ge=1, le=65535, description="587 with starttls, 465 with tls, by custom")
    encryption: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="'none' only to this machine"
    )
    ca: Path | None = Field(
        None, description="The authority that signed its certificate, PEM; default: the system's"
    )
    user: str | None = Field(None, min_length=1, description="Who signs in there, if anybody")
    password_file: Path | None = Field(None, description="File of mode 0600 with the password")
    sender: Address = Field(alias="from", description="Whom it comes from: an address of yours")
    to: Annotated[list[Address], Field(min_length=1, max_length=20)] = Field(
        description="Whom it goes to"
    )
    timeout_s: float = Field(10, gt=0, le=60, description=_TIMEOUT)

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.user is None) != (self.password_file is None):
            raise ValueError("'user' and 'password_file' go together; give both or none")
        if self.encryption == "none" and not is_this_machine(self.host):
            raise ValueError("'encryption: none' is for a server on this machine only")
        return self


class NoticesSettings(Settings):
    """People are told of each severe violation once, as soon as it is logged."""

    severity: Severity = Field(Severity.HIGH, description="Violations of this severity, or above")
    by_site: dict[Site, Severity | Literal["never"]] = Field(
        default_factory=dict, description="Other severities for some sites, e.g. {berlin: medium}"
    )
    every_s: float = Field(
        60,
        ge=1,
        le=86_400,
        description="One message in so many seconds at most; what comes meanwhile goes together in "
        "the next one",
    )
    give_up_h: float = Field(
        24, gt=0, le=720, description="Tried again and again for so long; then an error is logged"
    )
    webhook: WebhookSettings | None = Field(None, description="Post it to an address")
    mail: MailSettings | None = Field(None, description="Send it by e-mail")

    @model_validator(mode="after")
    def _some_way(self) -> Self:
        if self.webhook is None and self.mail is None:
            raise ValueError("name a way: 'webhook', 'mail' or both; or leave out 'notices'")
        return self


def is_this_machine(host: str) -> bool:
    """Say whether a name or address can only be this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
