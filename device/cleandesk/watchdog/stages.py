"""Whether each stage does what it was told to. Pure.

- told to sense: frames are looked at;
- and the camera is at fault: its thread goes on with the recovery, each step within its time;
- told to stop, in a break, off or in safe mode: the sensor has let go;
- told to be on the line: the threads of link and session turn, connected or not.

That the loop answers shows in its asking at all: who hangs does not ask, and does not feed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cleandesk.watchdog.heartbeat import Heartbeat

#: A thread may be late by so much: it shares its cores, and the disk, with all others.
LATE_S = 10.0
#: Frames that are due wait for so long at most.
WAIT_S = 60.0
_LOOKS = 3.0


@dataclass(frozen=True, slots=True)
class Sensing:
    """What the camera and those who look at its frames say. Moments are monotonic, seconds.

    Attributes:
        fault: The camera says that it is at fault: it recovers, or has come to its end.
        delivered: When the newest believable frame was handed on; None: none was.
        looked: When the newest frame was looked at; before the first, since when it is waited for.
        look_s: Seconds from one look to the next.
        seen: A frame was looked at since the process began.
    """

    fault: bool
    delivered: float | None
    looked: float
    look_s: float
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How the stages stand at one moment.

    Attributes:
        now: That moment, monotonic, seconds.
        sensor_runs: Frames may be acquired.
        sensing: None: the sensor was told to stop.
        heartbeats: Of the threads that were told to run.
        connected: The broker has let the box in.
    """

    now: float
    sensor_runs: bool
    sensing: Sensing | None
    heartbeats: Sequence[Heartbeat]
    connected: bool = False


def why_not(standing: Standing) -> str | None:
    """Return which stage does not do what it was told to; None: all do."""
    for heartbeat in standing.heartbeats:
        late_s = standing.now - heartbeat.due
        if late_s > LATE_S:
            return f"the thread '{heartbeat.name}' has been silent for {late_s:.0f} s too long"
    sensing = standing.sensing
    if sensing is None:
        return "the sensor was told to stop and runs" if standing.sensor_runs else None
    if not standing.sensor_runs:
        return "the sensor was told to run and does not"
    if sensing.fault or sensing.delivered is None:
        return None  # the camera's own thread has a heartbeat, and says in time what is wrong
    waits_s = sensing.delivered - sensing.looked
    if waits_s > WAIT_S + _LOOKS * sensing.look_s:
        return f"frames come, and none was looked at for {waits_s:.0f} s"
    return None
