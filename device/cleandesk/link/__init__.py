"""What leaves the box, and that it arrives."""
