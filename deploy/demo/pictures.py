"""An annotated picture for each logged violation, drawn afterwards from the recording."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import cv2

from demo.outcome import Logged

_RED = (40, 40, 230)
_WHITE = (255, 255, 255)


def draw_all(
    recording: Path, logged: Sequence[Logged], starts_at: datetime, folder: Path
) -> list[Path]:
    """Write one JPEG for each violation: the frame at which it opened, its place outlined.

    Args:
        recording: The video that the box was shown.
        logged: From the subscriber's log.
        starts_at: The moment of the recording's first frame.
        folder: Where the pictures go.

    Returns:
        The pictures' paths, in the order of `logged`.

    Raises:
        OSError: If the recording cannot be read at a logged time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoCapture(str(recording))
    paths = []
    try:
        for number, violation in enumerate(logged, start=1):
            seconds = (violation.opened_at - starts_at).total_seconds()
            path = folder / f"{number:02d}-{violation.class_name}-{seconds:05.1f}s.jpg"
            _draw_one(video, recording, violation, seconds, path)
            paths.append(path)
    finally:
        video.release()
    return paths


def _draw_one(
    video: cv2.VideoCapture, recording: Path, violation: Logged, seconds: float, path: Path
) -> None:
    video.set(cv2.CAP_PROP_POS_MSEC, seconds * 1000)
    found, frame = video.read()
    if not found:
        raise OSError(f"{recording}: no frame at {seconds:.1f} s, where a violation was logged")
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = (
        round(value * side)
        for value, side in zip(violation.place, (width, height, width, height), strict=True)
    )
    label = f"{violation.class_name} {violation.score:.2f}  {violation.rule}  {seconds:.1f} s"
    (text_width, text_height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_DUPLEX, 0.5, 1)
    left, bottom = min(x1, max(width - text_width - 8, 0)), max(y1, text_height + 10)
    cv2.rectangle(frame, (x1, y1), (x2, y2), _RED, 2, cv2.LINE_AA)
    cv2.rectangle(
        frame, (left, bottom - text_height - 10), (left + text_width + 8, bottom), _RED, cv2.FILLED
    )
    cv2.putText(
        frame, label, (left + 4, bottom - 5), cv2.FONT_HERSHEY_DUPLEX, 0.5, _WHITE, 1, cv2.LINE_AA
    )
    if not cv2.imwrite(str(path), frame):
        raise OSError(f"{path}: could not be written; is the disk full?")
