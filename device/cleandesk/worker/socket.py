"""The Unix socket that the worker's page asks on: each client a thread, all of it bounded.

Nothing here waits in the frame loop or for it, and no client can end more than its own connection:
lines are short, answers that are not read within a time end it, and there is room for few.
"""

import contextlib
import grp
import logging
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from cleandesk.contract.invalid import why
from cleandesk.worker.drawings import MOST_PER_S, Drawings
from cleandesk.worker.protocol import REQUEST, Failed, Line, Request, Watch, encode

log = logging.getLogger(__name__)

MOST_CLIENTS = 16
#: No request is longer: the longest carries a note of 500 characters.
MOST_REQUEST = 8192
_SEND_S, _IDLE_S, _TURN_S = 5.0, 600.0, 1.0
_MODE, _BACKLOG = 0o660, 64
_LONGEST_PATH = 107  # bytes, sockaddr_un
_PEER = struct.Struct("3i")  # struct ucred: pid, uid, gid
_SO_PEERGROUPS = 59  # asm-generic/socket.h; Python has no name for it

Answer = Callable[[Request], Line]


class SocketServer:
    """Listens, checks who comes, and answers.

    Args:
        path: Of the socket; one that a dead process has left is replaced.
        group: Whose members may connect, beside the box's own user and root.
        answer: Answers one request; called in the client's thread.
        drawings: For those who watch.
    """

    def __init__(self, path: Path, group: str | None, answer: Answer, drawings: Drawings) -> None:
        self._path, self._group = path, group
        self._answer, self._drawings = answer, drawings
        self._stopping = threading.Event()
        self._room = threading.BoundedSemaphore(MOST_CLIENTS)
        self._gid: int | None = None
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="page socket", daemon=True)

    def start(self) -> bool:
        """Begin to listen; say whether it could. A box without it goes on, and says so."""
        try:
            self._listener = self._listen()
        except (OSError, KeyError) as error:
            log.exception(
                "the worker's page cannot reach the box",
                extra={
                    "path": str(self._path),
                    "fix": "set page.socket to a short path (107 bytes at most) of its own in a "
                    "folder that the box may write to, and page.group to a group that exists: "
                    f"{error}",
                },
            )
            return False
        self._thread.start()
        return True

    def stop(self) -> None:
        """Listen no more; open connections end within a second."""
        self._stopping.set()
        if self._listener is None:
            return
        self._thread.join(2 * _TURN_S)
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink(missing_ok=True)

    def _listen(self) -> socket.socket:
        if len(os.fsencode(self._path)) > _LONGEST_PATH:
            raise OSError(f"the path is longer than {_LONGEST_PATH} bytes")
        self._gid = None if self._group is None else grp.getgrnam(self._group).gr_gid
        if self._path.is_socket():
            _refuse_if_alive(self._path)
            self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            before = os.umask(0o177)  # nobody may connect before group and mode are right
            try:
                listener.bind(str(self._path))
                listener.listen(_BACKLOG)  # at once: a socket without it passes for a dead one's
            finally:
                os.umask(before)
            if self._gid is not None:
                os.chown(self._path, -1, self._gid)
            self._path.chmod(_MODE)
            listener.settimeout(_TURN_S)
        except OSError:
            listener.close()
            raise
        return listener

    def _run(self) -> None:
        listener = self._listener
        while listener is not None and not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                log.exception("the page's socket failed at one connection, and goes on")
                self._stopping.wait(_TURN_S)
                continue
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        uid, gid, groups = _peer(connection)
        allowed = uid in {0, os.geteuid()} or (
            self._gid is not None and self._gid in {gid, *groups}
        )
        if not allowed:
            log.warning("a stranger at the page's socket is sent away", extra={"uid": uid})
            connection.close()
        elif not self._room.acquire(timeout=_TURN_S):
            log.warning("too many connections to the page's socket")
            connection.close()
        else:
            threading.Thread(
                target=self._serve, args=(connection,), name="page client", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_SEND_S)
                self._converse(connection)
        except OSError as error:
            log.info("the page's connection ended", extra={"error": str(error)})
        except Exception:
            log.exception("a request of the page failed; its connection is closed")
        finally:
            self._room.release()

    def _converse(self, connection: socket.socket) -> None:
        buffer = bytearray()
        while (line := self._next_line(connection, buffer)) is not None:
            try:
                request = REQUEST.validate_json(line)
            except ValidationError as error:
                connection.sendall(encode(Failed(reason="invalid", detail=why(error))))
                continue
            if isinstance(request, Watch):
                self._show(connection)
                return
            connection.sendall(encode(self._answer(request)))

    def _next_line(self, connection: socket.socket, buffer: bytearray) -> bytes | None:
        """Return the next line; None when the other side left, is silent, or sends no lines."""
        give_up = time.monotonic() + _IDLE_S
        while True:
            line, end, rest = bytes(buffer).partition(b"\n")
            if end:
                buffer[:] = rest
                return line
            if len(buffer) > MOST_REQUEST:
                connection.sendall(encode(Failed(reason="invalid", detail="the line is too long")))
                return None
            while not select.select([connection], [], [], _TURN_S)[0]:
                if self._stopping.is_set() or time.monotonic() > give_up:
                    return None
            chunk = connection.recv(4096)
            if not chunk:
                return None
            buffer += chunk

    def _show(self, connection: socket.socket) -> None:
        """Send drawings until the other side leaves: the newest one, a few times a second."""
        number = self._drawings.newest
        while not self._stopping.is_set():
            drawn = self._drawings.after(number, _TURN_S)
            if drawn is not None:
                number, drawing = drawn
                connection.sendall(encode(drawing))
                self._stopping.wait(1 / MOST_PER_S)
            if select.select([connection], [], [], 0)[0] and not connection.recv(4096):
                return


def _refuse_if_alive(path: Path) -> None:
    """Refuse a socket at which somebody listens; one that a dead process has left is nobody's.

    Raises:
        OSError: If somebody does, or nobody can tell.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_TURN_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
    raise OSError(
        f"another process listens at {path}, perhaps another box: stop it, or use another"
    )


def _peer(connection: socket.socket) -> tuple[int, int, set[int]]:
    """Return user, group and further groups of the other side, as they were when it connected."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, gid = _PEER.unpack(credentials)
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4096)
    except OSError:
        return uid, gid, set()
    return uid, gid, set(struct.unpack(f"{len(raw) // 4}I", raw))
