"""Updates of the box's software: a signed bundle is installed, tried, and committed or left."""
