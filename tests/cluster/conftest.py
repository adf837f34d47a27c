"""Tests on a cluster of brokers; they need root, network namespaces, and mmdebstrap once."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.cluster.network import Network, missing
from tests.cluster.rabbitmq import Cluster
from tests.system.broker_rig import Member

#: Programs, and the packages that have them.
_PROGRAMS = {"ip": "iproute2", "mmdebstrap": "mmdebstrap", "openssl": "openssl"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run here, but for whoever asked for just that.

    Raises:
        UsageError: If `make test-cluster` would test nothing.
    """
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    reason = f"not here: {', '.join(absent)}" if absent else missing()
    if reason is not None and "CLUSTER" in os.environ:
        packages = " ".join(_PROGRAMS[name] for name in absent)
        fix = (
            f"'apt install {packages}'"
            if absent
            else "run it as root, where namespaces may be made"
        )
        raise pytest.UsageError(f"tests/cluster tests nothing here: {reason}: {fix}")
    for item in items:
        if "tests/cluster/" in str(item.path):
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))
            item.add_marker(pytest.mark.timeout(1200))  # the first one may have to make the root


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with Network(3) as network, Cluster(network) as running:
        yield running


@pytest.fixture(scope="session")
def witness(cluster: Cluster) -> Iterator[Member]:
    with cluster.witness() as running:
        yield running
