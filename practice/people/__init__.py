"""Practices, staff, their roles and settings; later clients and what belongs to them."""
