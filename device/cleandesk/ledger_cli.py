"""The command `cleandesk ledger`."""

from typing import Annotated

import typer

from cleandesk.speaking import EXIT_FAILED, ConfigOption, fail, refuse


def ledger(
    config: ConfigOption,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that no entry was changed or taken out")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Only the newest ones; default: all")
    ] = None,
) -> None:
    """Print every message about the worker, word for word, and what became of it.

    Reads a copy; the box may run. With --verify it names the first entry that does not fit, and
    the exit code is 1; how to check the hashes with other software says cleandesk/link/chain.py.
    """
    from cleandesk import ledger_command  # noqa: PLC0415
    from cleandesk.config import ConfigError, load  # noqa: PLC0415
    from cleandesk.link import LedgerUnreadableError  # noqa: PLC0415
    from cleandesk.settings import BoxSettings  # noqa: PLC0415

    try:
        path = load(config, BoxSettings).outbox.path
        if verify:
            good = ledger_command.verify(path, as_json=as_json, say=typer.echo)
            raise typer.Exit(0 if good else EXIT_FAILED)
        ledger_command.show(path, as_json=as_json, limit=limit, say=typer.echo)
    except ConfigError as error:
        refuse(error)
    except LedgerUnreadableError as error:
        fail(str(error), EXIT_FAILED)
