"""Renders labelled desk pictures: `python -m models.scenes OUT --seed 1 --count 100`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from models.scenes import labels, stage
from models.scenes.arrange import Desks, draw_scene
from models.scenes.quiet import quiet
from models.scenes.sensor import roughen


def _parse_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise typer.BadParameter(f"{text!r} is no size: write it as 512x384")
    return int(width), int(height)


def _name(desks: Desks, seed: int, index: int) -> str:
    kind = "" if desks is Desks.EVERYDAY else f"{desks}-"
    return f"{kind}{seed:04d}-{index:05d}"


def _render_one(
    folder: Path, seed: int, index: int, *, desks: Desks, size: tuple[int, int], samples: int
) -> None:
    name = _name(desks, seed, index)
    scene = draw_scene(seed, index, desks)
    with quiet():
        stage.build(scene)
        picture = stage.photograph(size, samples, contrast=scene.contrast)
        ids = stage.identify(size)
    rng = np.random.default_rng([seed, index, 1])
    quality = int(rng.integers(78, 95))
    found = labels.annotate(ids, scene.things, scene.camera)
    cv2.imwrite(
        str(folder / "images" / f"{name}.jpg"),
        roughen(picture, rng),
        [cv2.IMWRITE_JPEG_QUALITY, quality],
    )
    image = {"file_name": f"{name}.jpg", "width": size[0], "height": size[1]}
    others = labels.unlabelled(ids, scene.things)
    record = {"image": image, "annotations": found, "lookalikes": others}
    labels.write_atomically(folder / "labels" / f"{name}.json", json.dumps(record))


def main(
    out: Annotated[Path, typer.Argument(help="Folder to fill; what it holds already is kept.")],
    seed: Annotated[int, typer.Option(help="Same seed and kind of desks, same pictures.")] = 1,
    count: Annotated[int, typer.Option(help="How many pictures the folder shall hold.")] = 100,
    *,
    desks: Annotated[
        Desks, typer.Option(help="Any desks, or those with what passes for a sheet or a phone.")
    ] = Desks.EVERYDAY,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.")] = "512x384",
    samples: Annotated[int, typer.Option(help="Light paths per pixel.")] = 12,
) -> None:
    """Render desk scenes and their boxes (COCO) into a folder; go on where it stopped."""
    pixels = _parse_size(size)
    for part in ("images", "labels"):
        (out / part).mkdir(parents=True, exist_ok=True)
    console = Console(file=os.fdopen(os.dup(1), "w"))
    began, made = time.monotonic(), 0
    for index in track(range(count), "rendering", console=console):
        if (out / "labels" / f"{_name(desks, seed, index)}.json").exists():
            continue
        _render_one(out, seed, index, desks=desks, size=pixels, samples=samples)
        made += 1
        if made % 10 == 0:
            labels.merge(out)
    total = labels.merge(out)
    pace = (time.monotonic() - began) / max(1, made)
    console.print(f"{total} pictures in {out}, {made} of them new, {pace:.1f} s each")


if __name__ == "__main__":
    typer.run(main)
