"""How well the desk model sees, and from which score on it is believed."""
