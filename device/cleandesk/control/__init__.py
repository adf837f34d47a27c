"""Control of a box from afar: its configuration, requests about the box, and safe mode."""

from cleandesk.control.configuration import Configuration
from cleandesk.control.control import Control, Effect
from cleandesk.control.model_updates import ModelUpdates
from cleandesk.control.rotation import Rotation
from cleandesk.control.starts import Starts
from cleandesk.control.updates import Updates

__all__ = ["Configuration", "Control", "Effect", "ModelUpdates", "Rotation", "Starts", "Updates"]
