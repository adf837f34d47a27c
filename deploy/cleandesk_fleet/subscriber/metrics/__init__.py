"""What Prometheus is told of a subscriber and of the log that it writes."""
