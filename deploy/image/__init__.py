"""Builds the box's image: Debian arm64 and our programs, on a card with two root slots."""
