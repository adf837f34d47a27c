"""onnxruntime, kept from reporting home: import it from here and from nowhere else.

Since 1.29 its wheels for Linux send usage events to their maker when the library is loaded, and
keep an identifier of the machine in the home folder. Nothing may leave the box but what the worker
can read, so it is switched off before the library is loaded; later it would be too late.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

__all__ = ["onnxruntime"]
