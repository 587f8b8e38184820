"""Rules about document content, templates and search."""
