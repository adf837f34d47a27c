"""Systemd's watchdog: fed only while each stage does what it was told to."""

from cleandesk.watchdog.feeder import Feeder
from cleandesk.watchdog.heartbeat import Heartbeat
from cleandesk.watchdog.stages import Sensing, Standing, why_not
from cleandesk.watchdog.word import NAME, CameraWord, Teller, Word
from cleandesk.watchdog.worked import Worked

__all__ = [
    "NAME",
    "CameraWord",
    "Feeder",
    "Heartbeat",
    "Sensing",
    "Standing",
    "Teller",
    "Word",
    "Worked",
    "why_not",
]
