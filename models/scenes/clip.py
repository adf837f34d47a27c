"""Makes the demo clip and its truth: `python -m models.scenes.clip`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, Final

import imageio_ffmpeg
import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from models.scenes import clip_script, clip_set
from models.scenes.clip_film import Film
from models.scenes.compose import sensed
from models.scenes.labels import write_atomically
from models.scenes.truth import Fixture, LightChange, Truth, Visit, dump_truth

_ROOT: Final = Path(__file__).resolve().parents[2]


def _visits(film: Film) -> tuple[Visit, ...]:
    visits = []
    for stay in clip_script.STAYS:
        arrived = clip_script.moment(round(stay.from_s * clip_script.FPS) + clip_script.WITHDRAW)
        visits.append(
            Visit(
                id=stay.id,
                class_name=clip_set.visitor(stay.name).label,
                box=film.box(stay, arrived.resting),
                from_s=stay.from_s,
                to_s=stay.to_s,
                comment=stay.comment,
            )
        )
    return tuple(visits)


def _light(film: Film) -> tuple[LightChange, ...]:
    before = clip_script.moment(round(clip_script.LAMP_OFF_S * clip_script.FPS) - 1)
    after = clip_script.moment(
        round(clip_script.LAMP_OFF_S * clip_script.FPS) + clip_script.LAMP_FADE
    )
    share = float(np.mean(film.frame(after)) / np.mean(film.frame(before)))
    return (
        LightChange(
            at_s=clip_script.LAMP_OFF_S,
            brightness=round(share, 2),
            comment="the desk lamp goes off",
        ),
        LightChange(
            at_s=clip_script.LAMP_ON_S, brightness=1.0, comment="the desk lamp goes on again"
        ),
    )


def _truth(film: Film) -> Truth:
    return Truth(
        comment="A rendered desk. The worker's arm comes in for about a second at each move.",
        duration_s=clip_script.DURATION_S,
        fps=clip_script.FPS,
        size=clip_set.SIZE,
        visits=_visits(film),
        light=_light(film),
        fixtures=tuple(Fixture(class_name=name, box=box) for name, box in film.fixtures()),
    )


def _record(film: Film, path: Path, crf: int, console: Console) -> None:
    video = imageio_ffmpeg.write_frames(
        str(path),
        clip_set.SIZE,
        pix_fmt_in="bgr24",
        fps=clip_script.FPS,
        codec="libx264",
        quality=None,
        macro_block_size=1,
        output_params=["-crf", str(crf), "-preset", "slow", "-movflags", "+faststart"],
    )
    video.send(None)
    moments = list(clip_script.moments())
    for number, moment in enumerate(track(moments, "composing", console=console)):
        video.send(sensed(film.frame(moment), number).tobytes())
    video.close()


def main(
    out: Annotated[Path, typer.Option(help="Folder for clip and truth.")] = _ROOT / "models/demo",
    cache: Annotated[Path, typer.Option(help="Where renders are kept.")] = _ROOT / "build/clip",
    samples: Annotated[int, typer.Option(help="Light paths per pixel of a still desk.")] = 48,
    moving_samples: Annotated[int, typer.Option(help="The same while a hand moves.")] = 12,
    crf: Annotated[int, typer.Option(help="H.264 quality: higher is smaller.")] = 20,
) -> None:
    """Render what is missing, compose the frames, write `desk.mp4` and `desk.truth.json`."""
    film = Film(cache, samples, moving_samples)
    console = Console(file=os.fdopen(os.dup(1), "w"))
    out.mkdir(parents=True, exist_ok=True)
    clip, draft = out / "desk.mp4", cache / "desk.part.mp4"
    _record(film, draft, crf, console)
    truth = dump_truth(_truth(film))
    shutil.move(draft, clip)
    write_atomically(out / "desk.truth.json", truth)
    console.print(f"{clip}: {clip.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    typer.run(main)
