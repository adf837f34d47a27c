"""How old the last input at this computer is, as its system says: an age, never which key.

X11 by the screen saver's extension, GNOME by its idle monitor, other Linux desktops by logind's
hint, macOS by the HID system's counter, Windows by GetLastInputInfo.
"""

import ctypes
import ctypes.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from cleandesk.companion.errors import NoInputAgeError

_PATIENCE_S = 5
Source = Callable[[], float]


class UnavailableError(Exception):
    """This source is not there; another one may be."""


def input_age(sources: Mapping[str, Source] | None = None) -> float:
    """Return the age of the last input, seconds.

    Args:
        sources: Tried in order; default: those of this system.

    Raises:
        NoInputAgeError: With what each source lacks.
    """
    lacking = []
    for name, source in (sources or sources_here()).items():
        try:
            return max(0.0, source())
        except UnavailableError as error:
            lacking.append(f"{name}: {error}")
    raise NoInputAgeError(
        "this system does not say how old the last input is; start the companion inside your "
        "desktop's session, not over ssh. Tried: " + "; ".join(lacking)
    )


def sources_here() -> dict[str, Source]:
    """Return the sources that this system may have, the most exact first."""
    if sys.platform == "win32":
        return {"Windows": windows}
    if sys.platform == "darwin":
        return {"macOS": macos}
    linux: dict[str, Source] = {"X11": x11, "GNOME": gnome, "logind": logind}
    if os.environ.get("WAYLAND_DISPLAY"):
        linux.pop("X11")  # it would know only of windows that are not Wayland's
    return linux


class _ScreenSaverInfo(ctypes.Structure):
    """XScreenSaverInfo of X11/extensions/scrnsaver.h."""

    _fields_ = (
        ("window", ctypes.c_ulong),
        ("state", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("til_or_since", ctypes.c_ulong),
        ("idle", ctypes.c_ulong),
        ("event_mask", ctypes.c_ulong),
    )


def x11() -> float:
    """Ask the X server's screen saver extension.

    Raises:
        UnavailableError: Without libX11, libXss, a display or the extension.
    """
    try:
        xlib, xss = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXss.so.1")
    except OSError as error:
        raise UnavailableError(f"{error}; install libxss1") from error
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XDefaultRootWindow.restype = ctypes.c_ulong
    xlib.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
    xlib.XCloseDisplay.argtypes = [ctypes.c_void_p]
    xss.XScreenSaverQueryInfo.argtypes = [
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.POINTER(_ScreenSaverInfo),
    ]
    display = xlib.XOpenDisplay(None)
    if not display:
        raise UnavailableError("no display")
    try:
        info = _ScreenSaverInfo()
        root = xlib.XDefaultRootWindow(display)
        if not xss.XScreenSaverQueryInfo(display, root, ctypes.byref(info)):
            raise UnavailableError("the X server has no MIT-SCREEN-SAVER extension")
        return float(info.idle) / 1e3
    finally:
        xlib.XCloseDisplay(display)


def gnome() -> float:
    """Ask GNOME's idle monitor over D-Bus; the answer is `(uint64 1234,)`, milliseconds.

    Raises:
        UnavailableError: Without gdbus or GNOME.
    """
    said = _run(
        "gdbus",
        "call",
        "--session",
        "--dest=org.gnome.Mutter.IdleMonitor",
        "--object-path=/org/gnome/Mutter/IdleMonitor/Core",
        "--method=org.gnome.Mutter.IdleMonitor.GetIdletime",
    )
    return _number(r"\(uint64 (\d+),\)", said) / 1e3


def logind() -> float:
    """Ask logind, which desktops tell when they think the session idle; minutes late, but there.

    Raises:
        UnavailableError: Without logind or a session.
    """
    session = os.environ.get("XDG_SESSION_ID", "auto")
    said = _run(
        "loginctl", "show-session", session, "-p", "IdleHint", "-p", "IdleSinceHintMonotonic"
    )
    if "IdleHint=no" in said:
        return 0.0
    since_s = _number(r"IdleSinceHintMonotonic=(\d+)", said) / 1e6
    return time.clock_gettime(time.CLOCK_MONOTONIC) - since_s


def macos() -> float:
    """Ask the HID system for its idle time, nanoseconds.

    Raises:
        UnavailableError: Without ioreg.
    """
    return _number(r'"HIDIdleTime" = (\d+)', _run("ioreg", "-c", "IOHIDSystem", "-d", "4")) / 1e9


if sys.platform == "win32":

    class _LastInputInfo(ctypes.Structure):
        """LASTINPUTINFO of winuser.h."""

        _fields_ = (("size", ctypes.c_uint), ("tick", ctypes.c_uint))

    def windows() -> float:
        """Ask GetLastInputInfo; both counts are milliseconds since the start, modulo 2^32.

        Raises:
            UnavailableError: If Windows refuses.
        """
        info = _LastInputInfo(ctypes.sizeof(_LastInputInfo), 0)
        if not ctypes.windll.user32.GetLastInputInfo(ctypes.byref(info)):
            raise UnavailableError("GetLastInputInfo failed")
        return ((ctypes.windll.kernel32.GetTickCount() - info.tick) & 0xFFFFFFFF) / 1e3


def _run(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise UnavailableError(f"no {program}")
    try:
        done = subprocess.run(  # noqa: S603 - the system's own program, with fixed words
            [path, *arguments], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{program}: {error}") from error
    if done.returncode:
        raise UnavailableError(f"{program}: {done.stderr.strip()[:200]}")
    return done.stdout


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    if found is None:
        raise UnavailableError(f"unexpected answer {text.strip()[:80]!r}")
    return int(found[1])
