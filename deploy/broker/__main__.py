"""`make broker`: the production configuration on this machine, until Ctrl-C."""

import contextlib
import signal
import tempfile
from pathlib import Path

from rich.console import Console

from broker.local import ADMINS, BOXES, PEOPLE, LocalBroker
from cleandesk_fleet.provision.authorities import Issuer
from cleandesk_fleet.provision.roles import Operator, Role

_OPERATORS = (
    Operator("subscriber", Role.SUBSCRIBER),
    Operator("ops", Role.OPS, "home"),
    Operator("control", Role.CONTROL, "home"),
    Operator("admin", Role.ADMIN),
)


def main() -> None:
    """Make throw-away certificates, run the broker on its usual ports, and say how to reach it."""
    with (
        tempfile.TemporaryDirectory(prefix="cleandesk-broker-") as home,
        LocalBroker(Path(home), _OPERATORS) as running,
    ):
        _introduce(running, Console(soft_wrap=True, highlight=False))
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


def _introduce(running: LocalBroker, console: Console) -> None:
    names = [(Issuer.BOXES, "home/desk-1"), (Issuer.BOXES, "home/desk-2")]
    names += [(one.role.issuer, one.name) for one in _OPERATORS]
    listeners = {Issuer.BOXES: BOXES, Issuer.PEOPLE: PEOPLE, Issuer.ADMINS: ADMINS}
    console.print(f"log {running.log}\nca  {running.authorities.root}")
    for issuer, name in names:
        files = running.issue(issuer, name)
        port = running.port(listeners[issuer])
        console.print(f"{name} on localhost:{port}\n    cert {files.cert}\n    key  {files.key}")
    console.print("Ctrl-C ends the broker and deletes all of it.")


if __name__ == "__main__":
    main()
