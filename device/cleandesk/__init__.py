"""The clean-desk box: sees with a small detector whether a desk is clean, and says so over MQTT."""

from importlib.metadata import version

__version__ = version("cleandesk")
