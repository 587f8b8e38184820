"""Supervision sessions and required hours."""
