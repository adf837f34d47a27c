"""The command `cleandesk bench`."""

from pathlib import Path
from typing import Annotated

import typer

from cleandesk.speaking import EXIT_FAILED, EXIT_USAGE, fail, refuse


def bench(  # noqa: PLR0913 - one for each option
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; tables go to standard error")
    ] = False,
    source: Annotated[
        Path | None,
        typer.Option(metavar="CLIP", exists=True, dir_okay=False, help="Default: the demo's clip"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", exists=True, help="A box's settings"),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each run, after its warm-up")] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often each run is repeated")] = 3,
    broker: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Default: a mosquitto of our own")
    ] = None,
    plain: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Another loop, to compare"),
    ] = None,
    frames: Annotated[int, typer.Option(min=50, help="Memory is watched for so many")] = 5000,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures as a picture, PNG")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="speed, events, still, start or memory; default: all")
    ] = None,
) -> None:
    """Measure what the frame loop costs, in ratios within one run.

    Inference alone, the whole loop and another loop (--plain) take turns, each in a process of its
    own; least, median and greatest of all rounds are told. Decoding video does not count: frames
    come from memory, but where a whole loop is compared with another one.
    """
    from cleandesk.bench import BenchError, Plan, Topic, default_clip  # noqa: PLC0415
    from cleandesk.bench import bench as measure  # noqa: PLC0415
    from cleandesk.config import ConfigError  # noqa: PLC0415
    from cleandesk.detector import ModelError  # noqa: PLC0415

    unknown = set(only or ()) - set(Topic)
    if unknown:
        known = ", ".join(Topic)
        raise typer.BadParameter(f"{', '.join(unknown)}: choose of {known}", param_hint="--only")
    try:
        plan = Plan(
            clip=source or default_clip(),
            config=config,
            seconds=seconds,
            rounds=rounds,
            broker=broker,
            plain=plain,
            frames=frames,
            topics=tuple(Topic(name) for name in only or Topic),
        )
        measure(plan, as_json=as_json, plot=plot)
    except ConfigError as error:
        refuse(error)
    except ModelError as error:
        fail(str(error), EXIT_USAGE)
    except BenchError as error:
        fail(str(error), EXIT_FAILED)
