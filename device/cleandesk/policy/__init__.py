"""From detections to violations, by rules; no input or output, no clock of its own."""
