"""Home Assistant discovery: tells a Home Assistant which boxes there are and what they publish."""
