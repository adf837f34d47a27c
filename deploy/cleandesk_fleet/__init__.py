"""What runs off the box: the log and its page, provisioning, and discovery."""
