"""Of a network camera with a microphone only the picture is subscribed to."""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Self

from cleandesk.camera import CameraError, make_camera
from cleandesk.clock import SystemClock
from cleandesk.settings import CameraSettings

SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=camera
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAH9oBQBbsBEAAAAMAQAAADCPGDKg=,aM48gA==
a=control:track1
m=audio 0 RTP/AVP 97
a=rtpmap:97 MPEG4-GENERIC/16000/1
a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;config=1408
a=control:track2
""".replace("\n", "\r\n")


class RtspCamera:
    """Answers one client's RTSP requests (RFC 2326) until PLAY, then hangs up."""

    def __init__(self) -> None:
        self.tracks: list[str] = []
        self.played = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(20)
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        peer, _ = self._server.accept()
        with peer, peer.makefile("rb") as lines:
            while not self.played and (request := lines.readline().decode()):
                headers = {}
                while line := lines.readline().decode().strip():
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                peer.sendall(self._answer(request, headers).encode())

    def _answer(self, request: str, headers: dict[str, str]) -> str:
        method, address, _ = request.split()
        lines = ["RTSP/1.0 200 OK", f"CSeq: {headers['cseq']}"]
        body = ""
        if method == "OPTIONS":
            lines.append("Public: DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = SDP
            lines += [
                "Content-Type: application/sdp",
                f"Content-Base: rtsp://127.0.0.1:{self.port}/",
                f"Content-Length: {len(body)}",
            ]
        elif method == "SETUP":
            self.tracks.append(address.rsplit("/", 1)[-1])
            lines += [f"Transport: {headers['transport']}", "Session: 1"]
        elif method == "PLAY":
            self.played = True
            lines.append("Session: 1")
        return "\r\n".join(lines) + "\r\n\r\n" + body


def test_only_the_picture_is_set_up() -> None:
    with RtspCamera() as camera:
        source = f"rtsp://127.0.0.1:{camera.port}/"
        settings = CameraSettings(source=source, timeout_s=30)
        box_camera = make_camera(settings, SystemClock(), base=Path())
        with contextlib.suppress(CameraError):  # it hangs up: only what was asked for counts
            box_camera.open()
            box_camera.read(30)
        box_camera.close()
    assert camera.played
    assert camera.tracks == ["track1"]
