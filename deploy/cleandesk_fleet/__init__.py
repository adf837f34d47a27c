"""What runs off the box: the subscriber."""
