"""The companion on the worker's computer: tells the page how old the last input is."""
