"""Makes the clip that is measured with: the demo's, at the size that a camera gives.

`python -m tests.bench.clip FILE`.
"""

import sys
from pathlib import Path

import cv2

from cleandesk.bench.frames import SIZE, sized
from cleandesk.camera.video import VideoReader
from tests.rig import CLIP


def make(target: Path) -> None:
    """Write the clip, picture by picture.

    Args:
        target: Where to; its folder is made.

    Raises:
        OSError: If it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"part-{target.name}")
    reader = VideoReader(CLIP)
    reader.open()
    picture = reader.next()
    if picture is None:
        raise OSError(f"{CLIP}: no picture in it; build it anew: make clip")
    writer = cv2.VideoWriter(str(draft), cv2.VideoWriter.fourcc(*"mp4v"), 1 / picture.lasts_s, SIZE)
    if not writer.isOpened():
        raise OSError(f"{draft}: OpenCV cannot write it; is the folder writable?")
    while picture is not None:
        writer.write(sized(picture.image))
        picture = reader.next()
    writer.release()
    reader.close()
    draft.replace(target)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
