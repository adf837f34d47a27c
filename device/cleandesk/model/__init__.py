"""Models that were fetched: kept on the disk, tried, and left again when they do not work."""
