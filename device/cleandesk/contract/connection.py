"""How to reach the broker: the same settings on the box and on the subscriber."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TlsSettings(BaseModel):
    """Files of the TLS connection; relative to the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca: Path = Field(description="The authority that signed the broker's certificate, PEM")
    cert: Path | None = Field(None, description="Our own certificate, PEM")
    key: Path | None = Field(None, description="Its key, PEM, mode 0600")
    clock: Path | None = Field(
        None, description="File with the last known time; certificates are judged by no earlier one"
    )

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("'cert' and 'key' go together; give both or none")
        return self


class BrokerSettings(BaseModel):
    """The broker, and how patiently to try it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("localhost", min_length=1, description="Name or address of the broker")
    port: int = Field(8883, ge=1, le=65535, description="8883 with TLS, 1883 without, by custom")
    tls: TlsSettings | None = Field(None, description="Without it the connection is not encrypted")
    keepalive_s: int = Field(30, ge=5, le=600, description="Ping after so long without a word")
    retry_min_s: float = Field(1, gt=0, le=600, description="First wait after a lost connection")
    retry_max_s: float = Field(60, gt=0, le=3600, description="Longest wait; each is jittered")
    ack_timeout_s: float = Field(15, gt=0, le=3600, description="No answer for so long: send again")
