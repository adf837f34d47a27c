"""Runs the box's program with Picamera2 on libcamera's `virtual` camera.

libcamera, its camera manager, requests and Python bindings are the real ones, and so is the class
Picamera2 with its configuration, event loop, jobs and mapped arrays. Replaced are:

- the DMA heap, by anonymous memory (memfd): the kernel here has none. With it goes DMA's
  synchronisation of caches;
- how a buffer is described: the virtual camera wants NV12's two planes each on its own, where
  Picamera2 describes one;
- the list of raw modes: the virtual camera has no raw stream;
- the pace: the virtual camera fills buffers as fast as they come, a sensor 10 times a second;
- `pidng`, `OpenEXR`, `pykms` and (by the box itself) `av`, which Picamera2 imports and a box never
  uses: raw pictures, another camera, a screen, films.

The camera gives NV12, where the Raspberry Pi's gives YUV420, and its values have the full range of
a JPEG, where a video's have less: bright things come out brighter.
"""

import mmap
import os
import sys
import time
from typing import Any
from unittest.mock import MagicMock

PERIOD_S = 0.1
_UNUSED = ("OpenEXR", "av", "pidng", "pidng.camdefs", "pidng.core", "pykms")


for _name in _UNUSED:
    sys.modules[_name] = MagicMock(name=_name)

import libcamera  # noqa: E402 - only inside the chroot, after what stands above
import picamera2  # noqa: E402
from picamera2.allocators import dmaallocator  # noqa: E402
from picamera2.dma_heap import UniqueFD  # noqa: E402


class MemoryHeap:
    """Stands for the DMA heap."""

    def alloc(self, name: str, size: int) -> UniqueFD:
        """Return a new buffer."""
        handle = os.memfd_create(name)
        os.ftruncate(handle, size)
        return UniqueFD(handle)

    def close(self) -> None:
        """Do nothing: each buffer is closed by itself."""


class NoSync:
    """Stands for the synchronisation of DMA's caches: there are none."""

    def __init__(self, allocator: Any, fb: Any, write: bool) -> None:  # noqa: ARG002, FBT001
        self._memory: mmap.mmap = allocator.mapped_buffers[fb]

    def __enter__(self) -> mmap.mmap:
        """Return the buffer's memory."""
        return self._memory

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


class TwoPlanes(dmaallocator.DmaAllocator):  # type: ignore[misc]
    """Describes each buffer as the virtual camera fills it: luma, then chroma."""

    def __init__(self) -> None:
        dmaallocator.DmaHeap = MemoryHeap
        super().__init__()
        self.sync = NoSync

    def allocate(self, libcamera_config: Any, use_case: Any) -> None:
        """Make the buffers of each stream."""
        super().allocate(libcamera_config, use_case)
        for stream_config in libcamera_config:
            luma = stream_config.stride * stream_config.size.height
            spans = ((0, luma), (luma, stream_config.frame_size - luma))
            self.frame_buffers[stream_config.stream] = [
                self._described_anew(buffer, spans)
                for buffer in self.frame_buffers[stream_config.stream]
            ]

    def _described_anew(self, buffer: Any, spans: tuple[tuple[int, int], ...]) -> Any:
        planes = []
        for offset, length in spans:
            plane = libcamera.FrameBuffer.Plane()
            plane.fd, plane.offset, plane.length = buffer.planes[0].fd, offset, length
            planes.append(plane)
        anew = libcamera.FrameBuffer(planes)
        handle = planes[0].fd  # libcamera's own copy
        self.libcamera_fds.append(handle)
        self.mapped_buffers_used[handle] = False
        self.mapped_buffers[anew] = self.mapped_buffers.pop(buffer)
        return anew


class VirtualPicamera2(picamera2.Picamera2):  # type: ignore[misc]
    """Picamera2, on memory that this machine has, at a sensor's pace."""

    def __init__(self) -> None:
        self._due = time.monotonic()
        super().__init__(allocator=TwoPlanes())

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        return [{"format": "NV12", "size": (640, 480)}]

    def process_requests(self, *arguments: Any) -> Any:
        """Handle what was completed, as soon as a sensor would have exposed it."""
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due = max(self._due, time.monotonic() - PERIOD_S) + PERIOD_S
        return super().process_requests(*arguments)


picamera2.Picamera2 = VirtualPicamera2

if __name__ == "__main__":
    from cleandesk.cli import main

    main()
