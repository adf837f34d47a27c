"""Telling people of severe violations: by a webhook, by e-mail, and never with a picture."""
