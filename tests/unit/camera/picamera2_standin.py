"""A stand-in for picamera2: the part that we use, with the signatures of its release 0.3."""
# ruff: noqa: B006, FBT001, FBT002, PLR0913, PLR0917

from concurrent.futures import CancelledError
from typing import Any, Self

import cv2
import numpy as np

from tests.unit.camera.sources import picture

PAD = 32


class Request:
    def __init__(self, owner: "Device") -> None:
        self.owner = owner
        owner.out += 1

    def release(self) -> None:
        self.owner.out -= 1


class MappedArray:
    """Rows are padded with rubbish, as the hardware leaves them."""

    def __init__(
        self, request: Request, stream: str, reshape: bool = True, write: bool = True
    ) -> None:
        assert (stream, reshape, write) == ("lores", True, False)
        self.array = request.owner.buffer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self.array


class Job:
    def __init__(self, device: "Device") -> None:
        self.device = device
        self.cancelled = False

    def get_result(self, timeout: float | None = None) -> Request:
        assert timeout is not None, "would wait for ever"
        if self.device.late and self.device.flushed:
            return Request(self.device)
        if self.cancelled:
            raise CancelledError
        if self.device.stalled:
            raise TimeoutError
        return Request(self.device)


class Device:
    made = 0
    failure: Exception | None = None

    def __init__(self, camera_num: int = 0) -> None:
        assert camera_num == 0
        if Device.failure:
            raise Device.failure
        Device.made += 1
        self.calls: list[str] = []
        self.out = self.flushed = 0
        self.stalled = self.late = False
        self.jobs: list[Job] = []
        self.form = "YUV420"

    def create_video_configuration(
        self,
        main: Any = {},
        lores: Any = None,
        raw: Any = {},
        transform: Any = None,
        colour_space: Any = None,
        buffer_count: int = 6,
        controls: Any = {},
        display: Any = "main",
        encode: Any = "main",
        queue: bool = True,
    ) -> dict[str, Any]:
        assert transform is colour_space is None
        assert queue
        assert display is encode is None
        assert raw is None, "a raw stream would cost memory"
        return {"main": main, "lores": lores, "buffer_count": buffer_count, "controls": controls}

    def configure(self, camera_config: dict[str, Any]) -> None:
        assert "start" not in self.calls[-1:], "picamera2 must be stopped before configuring"
        self.calls.append("configure")
        width, height = camera_config["lores"]["size"]
        assert width % 2 == height % 2 == 0, "picamera2 takes even sizes only"
        stride = width + PAD
        self.config = {"lores": {"size": (width, height), "format": self.form, "stride": stride}}
        yuv = cv2.cvtColor(picture(90, (width, height)), cv2.COLOR_BGR2YUV_I420)
        planes = [
            np.pad(plane, ((0, 0), (0, pad)), constant_values=255)
            for plane, pad in [
                (yuv[:height], PAD),
                (yuv[height:].reshape(height, width // 2), PAD // 2),
            ]
        ]
        self.buffer = np.concatenate([plane.ravel() for plane in planes]).reshape(-1, stride)

    def camera_configuration(self) -> dict[str, Any]:
        return self.config

    def start(self, config: Any = None, show_preview: bool = False) -> None:
        assert config is None
        assert show_preview is False
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        raise AssertionError("closing and opening again leaks contiguous memory")

    def capture_request(
        self, wait: Any = None, signal_function: Any = None, flush: Any = None
    ) -> Job:
        assert wait is False
        assert signal_function is flush is None
        self.jobs.append(Job(self))
        return self.jobs[-1]

    def cancel_all_and_flush(self) -> None:
        self.flushed += 1
        for job in self.jobs:
            job.cancelled = True
        self.jobs = []
