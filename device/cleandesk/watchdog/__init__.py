"""Systemd's watchdog: fed only while each stage does what it was told to."""

from cleandesk.watchdog.feeder import Feeder
from cleandesk.watchdog.heartbeat import Heartbeat
from cleandesk.watchdog.stages import Sensing, Standing, why_not

__all__ = ["Feeder", "Heartbeat", "Sensing", "Standing", "why_not"]
