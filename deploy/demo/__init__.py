"""The whole path on one machine, to look at: broker, subscriber and box on a recorded desk."""
