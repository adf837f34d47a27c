"""How a command that failed says so: a line for people, or one JSON object; never a trace."""

import json
import sys
from collections.abc import Mapping

import typer
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cleandesk.config import ConfigError
from cleandesk.contract.publication import TlsError
from cleandesk.contract.topics import TopicError
from cleandesk_fleet.provision.errors import LockedError, ProvisionError, UsageError, halves

#: What a command may fail by; anything else is a fault of the program.
TOLD = (
    ProvisionError,
    ConfigError,
    TlsError,
    TopicError,
    typer.TyperException,
    SQLAlchemyError,
    OSError,
)


def tell(error: Exception, *, as_json: bool) -> int:
    """Say why a command failed; returns its exit code.

    The JSON object has `error`, a word that never changes its meaning, `reason` and `fix`; wrong
    settings also have `problems`, each with its line. It goes where the answer would have gone.

    Args:
        error: One of `TOLD`.
        as_json: Which of both.
    """
    known = _known(error)
    if as_json:
        reason, fix = halves(known)
        said: Mapping[str, object] = {"error": known.word, "reason": reason, "fix": fix}
        if isinstance(error, ConfigError):
            said = {**said, "problems": error.as_data()}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{known}\n")
    return known.code


def _known(error: Exception) -> ProvisionError:
    """Return an error as one of ours, with its code and word."""
    match error:
        case ProvisionError():
            return error
        case typer.TyperException():
            return UsageError(f"{error.format_message()}: see --help")
        case TlsError():
            return LockedError(str(error))
        case SQLAlchemyError():
            # Not the statement: what it would have written is in it.
            reason = error.orig if isinstance(error, DBAPIError) else error
            fix = "see that no other command hangs, and that its disk has room"
            return ProvisionError(f"the state: {reason}: {fix}")
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            fix = "let this user read and write there, and see that the disk has room"
            return ProvisionError(f"{where}{error.strerror or error}: {fix}")
        case _:
            return UsageError(str(error))
