"""What pages for people share, the worker's and others': bounds, headers and forms."""
