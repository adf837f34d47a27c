"""A running box says on its own machine what works, for who decides about an update."""

from pathlib import Path
from typing import Any

import pytest

from cleandesk.watchdog import NAME, CameraWord, Word
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.rig import Rig, presence
from tests.system.running_box import a_phone
from tests.unit.watchdog.make import ServiceManager

pytestmark = [pytest.mark.system, needs_mosquitto]


class Told:
    """A box that runs as a service, whose word is read."""

    def __init__(self, home: Path, systemd: ServiceManager, **camera: Any) -> None:
        self.rig = Rig(home, camera=camera, rules=[presence("phone")])
        self.rig.broker.start()
        self._folder = home / "run"
        self._folder.mkdir()
        told = systemd.environ | {"RUNTIME_DIRECTORY": str(self._folder)}
        self.rig.start_box(wrapper=["env", *(f"{name}={value}" for name, value in told.items())])

    def says(self, word: Word) -> None:
        eventually(lambda: Word.read(self._folder / NAME) == word, str(word), within_s=60)


def test_it_says_what_works_and_what_does_not_any_more(tmp_path: Path) -> None:
    with ServiceManager(tmp_path / "notify", 4.0) as systemd:
        pictures = a_phone(tmp_path / "pictures")
        told = Told(tmp_path, systemd, source=str(pictures), repeat=True)
        try:
            told.says(Word(CameraWord.WORKS, link=True))
            told.rig.broker.stop()
            told.says(Word(CameraWord.WORKS, link=False))
        finally:
            told.rig.close()


def test_a_camera_that_is_not_there_does_not_work(tmp_path: Path) -> None:
    with ServiceManager(tmp_path / "notify", 4.0) as systemd:
        told = Told(tmp_path, systemd, source=str(tmp_path / "none.mp4"))
        try:
            told.says(Word(CameraWord.FAILS, link=True))
        finally:
            told.rig.close()
