"""What the page reads from the log: every query bounded, and by an index."""
