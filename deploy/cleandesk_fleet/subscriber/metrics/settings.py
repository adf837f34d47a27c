"""Where Prometheus finds the figures."""

from ipaddress import ip_address

from pydantic import Field, field_validator

from cleandesk_fleet.subscriber.settings_base import Settings


class MetricsSettings(Settings):
    """Figures for Prometheus, without encryption or a password: for this machine alone."""

    port: int = Field(9464, ge=1, le=65535, description="TCP port; http://127.0.0.1:9464/metrics")
    address: str = Field("127.0.0.1", description="An address of this machine: 127.0.0.1 or ::1")

    @field_validator("address")
    @classmethod
    def _of_this_machine(cls, address: str) -> str:
        try:
            loopback = ip_address(address).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise ValueError(
                "write 127.0.0.1 or ::1; for a Prometheus elsewhere put a proxy with TLS and "
                "certificates in front, or an agent on this machine"
            )
        return address
