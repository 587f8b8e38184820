"""Alembic migrations of the operational schema, each up and down."""
