"""One archive for those who help from afar: what runs, how it does, what it logged. No secret.

What may be in it is chosen, not filtered out: settings by their keys, numbers of the outbox, of a
log's line the keys that say what happened. What a message about the worker says is in none of them;
pictures, keys and PINs are in files that are never opened here.
"""

import io
import json
import platform
import re
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from cleandesk import __version__, whole_file
from cleandesk.camera.source import public_name
from cleandesk.clock import Clock, boot_id
from cleandesk.doctor.telling import as_data
from cleandesk.doctor.visit import Report
from cleandesk.link import LedgerUnreadableError
from cleandesk.link.ledger_file import read_only
from cleandesk.settings import BoxSettings

UNITS = ("cleandesk", "cleandesk-page", "cleandesk-claim", "cleandesk-renew")
_LIBRARIES = ("mqtt5", "numpy", "onnxruntime", "opencv-python-headless", "pydantic", "PyYAML")
_LINES, _JOURNAL_S = 5000, 60
#: Keys, and who signs in to an address.
_SECRETS = re.compile(
    r"-----BEGIN.*?(-----END[^-]*-----|$)|-----END[^-]*-----|(?<=://)[^/@\s]+@", re.DOTALL
)
#: What could be a token, a hash or a line of a key; or a path.
_RUNS = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
#: Of an object of our logs: the rest may be anything.
_KEPT_KEYS = ("time", "level", "logger", "event", "fix", "code", "reason", "error")


class DiagError(Exception):
    """The archive could not be written; the text says where, why and what to do."""


def write(report: Report, out: Path, clock: Clock) -> list[str]:
    """Write the archive, mode 0600; returns the names of what is in it.

    Raises:
        DiagError: If the disk does not take it.
    """
    files = contents(report, clock, journal())
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, text in files.items():
            data = text.encode()
            member = tarfile.TarInfo(f"cleandesk-diag/{name}")
            member.size, member.mtime = len(data), int(clock.now().utc.timestamp())
            archive.addfile(member, io.BytesIO(data))
    try:
        whole_file.write(out, made.getvalue(), whole_file.SECRET)
    except OSError as error:
        raise DiagError(f"{out}: {error.strerror}: name another file with --out") from error
    return list(files)


def contents(report: Report, clock: Clock, log_lines: Iterable[str]) -> dict[str, str]:
    """Return the archive's files by their names."""
    settings = report.settings
    made = {
        "versions.json": _versions(),
        "settings.json": public(settings),
        "doctor.json": as_data(report),
        "outbox.json": _outbox(settings, clock),
    }
    texts = {name: json.dumps(value, indent=2) + "\n" for name, value in made.items()}
    return texts | {"log.txt": "".join(f"{scrubbed(line)}\n" for line in log_lines)}


def public(settings: BoxSettings) -> dict[str, object]:
    """Return the settings without what is secret: no paths of keys, no password in an address."""
    told = settings.model_dump(mode="json", by_alias=True)
    told["camera"]["source"] = public_name(settings.camera.source)
    tls = settings.broker.tls
    told["broker"]["tls"] = None if tls is None else {"set": sorted(tls.model_fields_set)}
    told["stills"]["encrypt_to"] = settings.stills.encrypt_to is not None
    return told


def journal() -> list[str]:
    """Return the newest lines that our units logged; why there are none, where there is none."""
    units = [word for unit in UNITS for word in ("--unit", unit)]
    command = ["journalctl", "--no-pager", "--output=cat", f"--lines={_LINES}", *units]
    try:
        made = subprocess.run(  # noqa: S603 - nothing of it comes from outside
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=_JOURNAL_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return [f"no journal: {type(error).__name__}"]
    return made.stdout.splitlines()


def scrubbed(line: str) -> str:
    """Return a line of a log without what could be a secret, or about the worker.

    Of a JSON object of ours only the keys that say what happened stay. Of other lines, such as a
    traceback's, everything that is long and could be a key, a token or a hash is taken out.
    """
    try:
        made = json.loads(line)
    except ValueError:
        return _without_secrets(line)
    if not isinstance(made, dict):
        return _without_secrets(line)
    kept = {key: _without_secrets(str(made[key])) for key in _KEPT_KEYS if key in made}
    return json.dumps(kept, ensure_ascii=False)


def _without_secrets(text: str) -> str:
    return _RUNS.sub(_shown, _SECRETS.sub("…", text))


def _shown(run: re.Match[str]) -> str:
    """Return a path as it is; anything else that is so long helps nobody."""
    text = run.group()
    digits, capitals = any(map(str.isdigit, text)), any(map(str.isupper, text))
    return "…" if digits and (capitals or "/" not in text) else text


def _versions() -> dict[str, object]:
    known = {}
    for name in _LIBRARIES:
        try:
            known[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            known[name] = "missing"
    system = {"machine": platform.machine(), "kernel": platform.release()}
    return {"cleandesk": __version__, "python": platform.python_version(), **system, **known}


def _outbox(settings: BoxSettings, clock: Clock) -> dict[str, object]:
    """Return numbers: what waits, and how many entries of which kind the ledger has."""
    try:
        with read_only(settings.outbox.path) as ledger:
            waiting = ledger.waiting(boot_id(), clock.now().mono)
            kinds = Counter(entry.kind for entry in ledger.entries())
            verdict = ledger.verify()
    except LedgerUnreadableError as error:
        return {"unreadable": str(error)}
    return {
        "waiting": waiting.depth,
        "numbered": waiting.numbered,
        "oldest_s": waiting.oldest_s,
        "entries": dict(sorted(kinds.items())),
        "ledger_good": verdict.good,
    }
