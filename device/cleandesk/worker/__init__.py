"""The worker's side: breaks, absence, and the socket that the worker's page talks to."""
