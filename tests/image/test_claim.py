"""A box's first start on a booted Debian: from the card, by its units, to a page that is served."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.image.box import BOX
from tests.image.machine import Machine, as_fat_is_mounted
from tests.mosquitto import needs_mosquitto
from tests.system.claim_rig import Box
from tests.system.provision_rig import Site

pytestmark = needs_mosquitto

CLAIM, PAGE = "cleandesk-claim.service", "cleandesk-page.service"
CARD = "/boot/firmware/cleandesk"
ASK = """
import ssl, sys, urllib.request
trust = ssl.create_default_context()
trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
page = urllib.request.urlopen(sys.argv[1], context=trust)
print(page.status, page.read().decode())
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as running:
        yield running


@pytest.fixture
def machine(site: Site, tmp_path: Path) -> Iterator[Machine]:
    """Boot a machine with a card in it, on this machine's network, where service and broker are."""
    box = Box(site, "s1/first", tmp_path)
    with Machine(tmp_path, network=True) as machine:
        shutil.copytree(box.card, machine.path(CARD), dirs_exist_ok=True)
        as_fat_is_mounted(machine)
        # Another page may be served on this machine's own 443.
        machine.drop_in(PAGE, "[Service]", "PrivateNetwork=yes")
        yield machine


def _active(machine: Machine, unit: str) -> bool:
    return machine.show(unit, "ActiveState")["ActiveState"] == "active"


def test_a_card_makes_a_box_that_runs_and_a_page_that_is_served(machine: Machine) -> None:
    machine.start("cleandesk-name.path")
    machine.start(CLAIM)
    assert not machine.path(f"{CARD}/claim.json").exists(), "the token is gone"
    stat = machine.run("stat", "--format=%U %a", "/etc/cleandesk/identity/box.pem").stdout
    assert stat.split() == ["cleandesk", "600"]
    eventually(lambda: _active(machine, BOX), "the box's start")
    eventually(lambda: "connected to the broker" in machine.journal(BOX), "the broker's word")
    eventually(lambda: _active(machine, PAGE), "the page's start")
    eventually(lambda: "page started" in machine.journal(PAGE), "the page's address")
    eventually(lambda: machine.run("hostname").stdout.strip() == "cleandesk-first", "its name")
    pid = machine.show(PAGE, "MainPID")["MainPID"]
    told = machine.run(
        *("nsenter", f"--target={pid}", "--net", "/opt/cleandesk/bin/python", "-c", ASK),
        "https://127.0.0.1/",
    ).stdout
    assert told.startswith("200 ")


def test_a_renewal_runs_in_its_sandbox(machine: Machine) -> None:
    machine.start(CLAIM)
    machine.start("cleandesk-renew.service")
    assert "not due" in machine.journal("cleandesk-renew.service")


def test_a_card_that_is_refused_leaves_the_box_that_there_was(machine: Machine) -> None:
    machine.start(CLAIM)
    eventually(lambda: _active(machine, BOX), "the box's start")
    machine.write(f"{CARD}/claim.json", "{}", owner="cleandesk", mode="600")
    refused = machine.run("systemctl", "start", CLAIM, check=False)
    assert refused.returncode != 0
    eventually(lambda: _active(machine, BOX), "the box again, as it was")
    assert "card_damaged" in machine.journal(CLAIM) or "claim.json" in machine.journal(CLAIM)
