"""A box is killed (SIGKILL) again and again while it fetches: one whole bundle, one answer."""

import json
import os
import random
import threading
from pathlib import Path

import pytest

from cleandesk.contract.topics import Command
from cleandesk.update.install import Outcome
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.signed_bundles import needs_rauc
from tests.system.provision_rig import Site
from tests.system.update_rig import Releases, UpdateBox

pytestmark = [pytest.mark.fault, needs_mosquitto, needs_rauc, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("ROUNDS") or 5)
SEED = 20261129


def test_killed_while_it_fetches_a_box_goes_on_where_it_was(tmp_path: Path) -> None:
    home = tmp_path / "site"
    home.mkdir()
    limits = {"requests_per_minute": 10_000, "refusals_per_hour": 10_000}
    with Site(home, enrolment=limits) as site:
        releases = Releases(site, tmp_path / "releases")
        # Longer than all its lives together.
        made = releases.publish("0.1.300", kib=4000 * (ROUNDS + 1))
        box = UpdateBox(site, "s1/killed", tmp_path / "box", releases.signer, per_s=2_000_000)
        try:
            box.started().send("0.1.300", "--wait", "1")
            dice, had = random.Random(SEED), 0
            for _ in range(ROUNDS):
                eventually(lambda: box.drop.has(made["sha256"]) > had, "more of it")  # noqa: B023
                threading.Event().wait(dice.uniform(0, 1.5))
                box.kill()
                assert not box.drop.handed
                now = box.drop.has(made["sha256"])
                assert now >= had, "what was on the disk is not fetched again"
                had = now
                box.started()
            eventually(lambda: box.drop.handed, "all of it", within_s=300)
            assert box.drop.bundle.stat().st_size == made["size"]
            eventually(lambda: box.answers_to(Command.UPDATE), "the answer")
            outcomes = [
                json.loads(row["payload"])["outcome"] for row in box.answers_to(Command.UPDATE)
            ]
            assert outcomes == ["done"]
            assert box.update() is Outcome.INSTALLED
            assert box.stop() == 0
        finally:
            box.close()
