"""How a measurement fails."""


class BenchError(Exception):
    """Something cannot be measured: the place, the reason and the fix in one line."""
