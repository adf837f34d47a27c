"""How hard the property tests of the policy search: POLICY_PROFILE=thorough for a long run."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "policy-quick",
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile(
    "policy-thorough",
    parent=settings.get_profile("policy-quick"),
    max_examples=1000,
    derandomize=False,
)
PROFILE = "policy-" + os.environ.get("POLICY_PROFILE", "quick")


@pytest.fixture(autouse=True, scope="package")
def _profile() -> None:
    settings.load_profile(PROFILE)
