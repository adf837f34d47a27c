"""How the log's tables came to be; run by Alembic."""
