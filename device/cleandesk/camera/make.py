"""From the settings to a camera."""

from pathlib import Path

from cleandesk.camera.folder import FolderReader
from cleandesk.camera.picamera import Picamera
from cleandesk.camera.protocol import Camera
from cleandesk.camera.recording import Recording
from cleandesk.camera.source import SourceKind, kind_of
from cleandesk.camera.stream import StreamCamera
from cleandesk.camera.v4l2 import V4l2Camera
from cleandesk.camera.video import VideoReader
from cleandesk.clock import Clock
from cleandesk.settings import CameraSettings


def make_camera(settings: CameraSettings, clock: Clock, *, base: Path) -> Camera:
    """Make the camera that the settings name; nothing is opened yet.

    Args:
        settings: What and how.
        clock: Dates the frames.
        base: The folder that relative paths start from.
    """
    kind = kind_of(settings.source)
    if kind is SourceKind.PICAMERA2:
        return Picamera(settings, clock)
    if kind is SourceKind.V4L2:
        return V4l2Camera(settings, clock)
    if kind is SourceKind.STREAM:
        return StreamCamera(settings, clock)
    path = base / settings.source
    reader = FolderReader(path, settings.picture_s) if path.is_dir() else VideoReader(path)
    return Recording(reader, settings, clock)
