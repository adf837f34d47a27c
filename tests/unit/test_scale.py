"""What `make test-scale` tests, and that it says so where it cannot."""

import os
import re
import subprocess
import sys

import pytest

from tests.rig import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")


def cluster(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the cluster's tests where there is no program of the system."""
    words = ["-m", "pytest", "tests/cluster", "-q", "-n", "0", "-p", "no:cacheprovider"]
    kept = {name: text for name, text in os.environ.items() if name != "CLUSTER"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=kept | {"PATH": "/nowhere"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_cluster_that_cannot_be_made_fails_whoever_asked_for_it() -> None:
    done = cluster(CLUSTER="1")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    words = "tests/cluster tests nothing here: not here: ip, mmdebstrap, openssl: 'apt install "
    assert f"{words}iproute2 mmdebstrap openssl'" in done.stderr


def test_elsewhere_it_is_skipped_with_its_reason() -> None:
    done = cluster()
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "not here: ip, mmdebstrap, openssl" in done.stdout
    assert re.search(r"^\d+ skipped in", done.stdout, re.MULTILINE), done.stdout


def test_make_asks_for_the_cluster() -> None:
    assert "\ntest-cluster: export CLUSTER := 1\n" in MAKEFILE


@pytest.mark.parametrize("variable", ["SCALE_TESTS", "WATCHING_TESTS"])
def test_what_make_tests_is_there(variable: str) -> None:
    (words,) = re.findall(rf"^{variable} := (.*)$", MAKEFILE, re.MULTILINE)
    paths = [word for word in words.split() if not word.startswith("$")]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
