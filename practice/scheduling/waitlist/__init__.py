"""Waitlist entries and the offers of freed times."""
