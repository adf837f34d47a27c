"""A rig for each test, and no process left behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import free_ports
from tests.rig import Rig
from tests.system import page_site as pages
from tests.system.broker_rig import OPERATORS, Member, WitnessedBroker
from tests.system.doctor_rig import Bed
from tests.system.provision_rig import Site

MakeRig = Callable[..., Rig]


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[MakeRig]:
    """Return a maker of rigs whose broker runs; all is ended after the test."""
    rigs: list[Rig] = []

    def make(**settings: object) -> Rig:
        rig = Rig(tmp_path, **settings)  # type: ignore[arg-type] # handed through as they came
        rigs.append(rig)
        rig.broker.start()
        return rig

    yield make
    for rig in rigs:
        rig.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a service that may be asked as often as a test wants, and its broker."""
    limits = {"requests_per_minute": 10_000, "refusals_per_hour": 10_000}
    with Site(tmp_path_factory.mktemp("site"), enrolment=limits) as running:
        yield running


@pytest.fixture(scope="module")
def running_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pages.PageSite]:
    """Return a page with a browser; it goes on from test to test."""
    with pages.running(tmp_path_factory.mktemp("page")) as site:
        yield site


@pytest.fixture
def page_site(running_page: pages.PageSite) -> Iterator[pages.PageSite]:
    """Return the page with a box that works, saw things, and sent some."""
    pages.settle(running_page.box)
    yield running_page
    for context in running_page.browser.contexts:
        context.close()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[WitnessedBroker]:
    """Return a production broker of this test alone."""
    home = tmp_path / "site"
    home.mkdir()
    with WitnessedBroker(home, OPERATORS, free_ports()) as running:
        yield running


@pytest.fixture
def witness(own_broker: WitnessedBroker) -> Iterator[Member]:
    """Return somebody who hears everything there."""
    with own_broker.witness() as running:
        yield running


@pytest.fixture
def bed(tmp_path: Path, own_broker: WitnessedBroker) -> Bed:
    """Return a box's settings and identity there, for the doctor."""
    return Bed(tmp_path, own_broker)
