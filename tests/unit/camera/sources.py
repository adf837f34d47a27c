"""Sources made for the tests: clips, pictures, an HTTP camera, a clock."""

import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.clock import Instant

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Image = NDArray[np.uint8]


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, *, synced: bool = False) -> None:
        self.mono = 1000.0
        self.synced = synced

    def now(self) -> Instant:
        return Instant(self.mono, NOON + timedelta(seconds=self.mono - 1000), self.synced)


def picture(value: int, size: tuple[int, int] = (160, 120)) -> Image:
    """A grey picture with a gradient, so that no two values give the same pixels."""
    width, height = size
    ramp = np.linspace(0, 40, width, dtype=np.uint8)
    return np.repeat((ramp + np.uint8(value))[None, :, None], height, 0).repeat(3, 2)


def write_clip(path: Path, images: list[Image], fps: float = 10) -> Path:
    code = "MJPG" if path.suffix == ".avi" else "mp4v"
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()
    return path


class HttpCamera:
    """A real MJPEG camera on loopback.

    `/moving` and `/same` go on for ever, `/ends` closes after 5 pictures, `/stalls` falls silent
    after 5, `/mute` takes the request and never answers, `/private` wants a password.
    """

    def __init__(self) -> None:
        self.over = threading.Event()
        self.seen: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            # Viewers hang up in the middle of a picture; that is what the tests are about.
            def handle_error(self, *_: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def url(self, path: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.server.server_port}/{path}"

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        self.seen.append(path)
        if path == "/mute":
            self.over.wait()
            return
        if path == "/private":
            request.send_error(401)
            return
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        for number in range(5 if path in ("/ends", "/stalls") else 10_000):
            data = cv2.imencode(".jpg", self.shown(path, number))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            request.wfile.write(head.encode() + data + b"\r\n")
            if self.over.wait(0.01):
                return
        if path == "/stalls":
            self.over.wait()

    def shown(self, path: str, number: int) -> Image:
        return picture(60 if path == "/same" else 40 + number % 30 * 5)

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
