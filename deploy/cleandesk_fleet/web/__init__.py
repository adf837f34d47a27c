"""The page for ops: a process of its own beside the subscriber, on the same log."""
