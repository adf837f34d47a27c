"""What lies on the desk."""
