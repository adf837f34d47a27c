"""Runs one part of a measurement: `python -m cleandesk.bench.child <spec as JSON>`."""

import subprocess
import sys

from pydantic import ValidationError

from cleandesk.bench.errors import BenchError
from cleandesk.bench.spec import Result, Spec

_GRACE_S = 60.0


def measure(spec: Spec) -> Result:
    """Run a part in a process of its own, so that no part feels another's memory or threads.

    Raises:
        BenchError: If it failed, with its last words.
    """
    command = [sys.executable, "-m", "cleandesk.bench.child", spec.model_dump_json()]
    words = spec.folder / "words"
    with words.open("w+b") as log:  # a file, as a pipe that nobody empties would block the part
        try:
            ended = subprocess.run(  # noqa: S603 - ourselves
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                timeout=spec.warm_s + spec.seconds + _GRACE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchError(
                f"{spec.part}: did not end within {_GRACE_S:g} s of its time; is the machine "
                "overloaded?"
            ) from None
    try:
        return Result.model_validate_json(ended.stdout.splitlines()[-1])
    except (IndexError, ValidationError):
        last = words.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise BenchError(
            f"{spec.part}: ended with {ended.returncode}: {' '.join(last) or 'without a word'}"
        ) from None


def main() -> None:
    """Run what the command line says, and print what it gave as the last line."""
    from cleandesk.bench import parts  # noqa: PLC0415 - the parent needs no detector
    from cleandesk.contract import logs  # noqa: PLC0415

    logs.configure("info")
    print(parts.run(Spec.model_validate_json(sys.argv[1])).model_dump_json())  # noqa: T201


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        raise SystemExit(str(error)) from error
