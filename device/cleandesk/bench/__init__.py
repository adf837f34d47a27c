"""`cleandesk bench`: what the frame loop costs, in ratios within one run."""

from cleandesk.bench.command import bench
from cleandesk.bench.errors import BenchError
from cleandesk.bench.plan import Plan, Topic, default_clip

__all__ = ["BenchError", "Plan", "Topic", "bench", "default_clip"]
