"""The worker's page: a second process and user, with no key to MQTT and no frames."""
