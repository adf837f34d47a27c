"""How hard the property tests search: the same cases each time, or many new ones on demand."""

import os

from hypothesis import HealthCheck, settings

SEARCH = settings(
    max_examples=2000 if os.environ.get("LOOP_SEARCH") == "long" else 60,
    derandomize="LOOP_SEARCH" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
