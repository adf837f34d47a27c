"""From the settings to a camera."""

from pathlib import Path

from cleandesk.camera.folder import FolderReader
from cleandesk.camera.picamera import Picamera
from cleandesk.camera.protocol import Camera, CameraError
from cleandesk.camera.recording import Recording
from cleandesk.camera.source import SourceKind, kind_of
from cleandesk.camera.stream import StreamCamera
from cleandesk.camera.v4l2 import V4l2Camera
from cleandesk.camera.video import VideoReader
from cleandesk.clock import Clock
from cleandesk.settings import CameraSettings


def video_length_s(settings: CameraSettings, *, base: Path) -> float | None:
    """Return how long the settings' video file is, seconds; None for any other source.

    Args:
        settings: What and how.
        base: The folder that relative paths start from.
    """
    path = base / settings.source
    if kind_of(settings.source) is not SourceKind.RECORDING or not path.is_file():
        return None
    reader = VideoReader(path)
    try:
        reader.open()
    except CameraError:
        return None  # the capture thread will say what is wrong with it
    length_s = reader.length_s
    reader.close()
    return length_s or None


def is_live(settings: CameraSettings) -> bool:
    """Say whether the settings' frames come whether or not they are read."""
    return settings.realtime or kind_of(settings.source) is not SourceKind.RECORDING


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
