"""The system tests' rig serves the fault tests too."""

from tests.system.conftest import make_rig

__all__ = ["make_rig"]
