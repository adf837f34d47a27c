"""What box and fleet agree on: topics, messages, and the session that carries them."""
