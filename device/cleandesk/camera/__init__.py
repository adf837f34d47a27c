"""Where frames come from."""

from cleandesk.camera.area import Area
from cleandesk.camera.capture import Capture
from cleandesk.camera.frame import Frame
from cleandesk.camera.make import is_live, make_camera, video_length_s
from cleandesk.camera.protocol import Camera, CameraError, CameraFactory
from cleandesk.camera.sink import Sink
from cleandesk.camera.source import public_name
from cleandesk.camera.state import CaptureState

__all__ = [
    "Area",
    "Camera",
    "CameraError",
    "CameraFactory",
    "Capture",
    "CaptureState",
    "Frame",
    "Sink",
    "is_live",
    "make_camera",
    "public_name",
    "video_length_s",
]
