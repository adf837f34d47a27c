"""Rendered desk scenes: labelled pictures for training, and the demo clip."""
