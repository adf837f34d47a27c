"""The system tests' rig serves the privacy tests too."""

from tests.system.conftest import make_rig

__all__ = ["make_rig"]
