"""What boxes say about themselves: status, health, privacy, idle, and the alarms that follow."""

from cleandesk.contract.health import Health
from cleandesk.contract.messages import Availability, Privacy, Status
from cleandesk.contract.topics import Address, Channel
from cleandesk.contract.worker_messages import Idle
from cleandesk_fleet.subscriber.alarms import Alarms, Kind
from cleandesk_fleet.subscriber.intake import Cleared, Report
from cleandesk_fleet.subscriber.rows import Row
from cleandesk_fleet.subscriber.tables import boxes

#: Status of a box whose retained status was emptied: it was taken out.
REMOVED = "removed"
#: In these states a box owes us no messages.
AT_REST = frozenset({Availability.STOPPED.value, REMOVED})


def new_box() -> Row:
    """Return the row of a box of which nothing is known."""
    return {column.name: None for column in boxes.columns if not column.primary_key}


def apply(row: Row, report: Report, alarms: Alarms) -> Row:
    """Return a box's row after its report; open and close the alarms that depend on it."""
    address = report.address
    match report.message:
        case Status() as status:
            return row | _status(status, address, alarms)
        case Privacy() as privacy:
            return row | {
                "privacy": privacy.state.value,
                "privacy_reason": privacy.reason,
                "privacy_since": privacy.since,
                "privacy_until": privacy.until,
                "privacy_beyond": " ".join(privacy.beyond) if privacy.beyond else None,
            }
        case Idle() as idle:
            if row["idle_at"] is not None and idle.at < row["idle_at"]:
                return row  # one that was sent late
            return row | {"idle": idle.idle, "idle_since": idle.since, "idle_at": idle.at}
        case Health() as health:
            if _outdated(health, row):
                return row
            return row | _health(health, address, alarms) | {"health": report.payload}
    raise AssertionError(report)


def clear(row: Row, cleared: Cleared, alarms: Alarms) -> Row:
    """Return a box's row after one of its retained topics was emptied."""
    if cleared.channel is not Channel.STATUS:
        return row
    _rest(cleared.address, alarms)
    alarms.close(Kind.OFFLINE, cleared.address)
    return row | {"status": REMOVED}


def _status(status: Status, address: Address, alarms: Alarms) -> Row:
    if status.state is Availability.OFFLINE:
        alarms.open(Kind.OFFLINE, address, "", "the box's connection broke without a goodbye")
    else:
        alarms.close(Kind.OFFLINE, address)
    if status.state is Availability.STOPPED:
        _rest(address, alarms)
    return {
        "status": status.state.value,
        "version": status.version,
        "model": status.model,
        "boot": status.boot,
    }


def _rest(address: Address, alarms: Alarms) -> None:
    alarms.close(Kind.SILENT, address)
    alarms.only(Kind.FAULT, address, {})


def _outdated(health: Health, row: Row) -> bool:
    """Say whether newer health of the same power-on is known (retained copies come late)."""
    return bool(health.boot == row["health_boot"] and health.uptime_s < row["uptime_s"])


def _health(health: Health, address: Address, alarms: Alarms) -> Row:
    camera, outbox = health.camera, health.outbox
    fault = {camera.fault.value: camera.fault_detail or ""} if camera.fault else {}
    alarms.only(Kind.FAULT, address, fault)
    failing: dict[str, str] = {}
    if outbox.storage != "ok":
        failing[outbox.storage] = "the box cannot keep all events"
    alarms.only(Kind.STORAGE, address, failing)
    return {
        "health_at": health.at,
        "health_boot": health.boot,
        "uptime_s": health.uptime_s,
        "outbox_depth": outbox.depth,
        "outbox_oldest_s": outbox.oldest_s,
        "outbox_lost": outbox.lost,
        "epoch": outbox.epoch,
    }
