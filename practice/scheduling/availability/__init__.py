"""Availability: clinicians' hours, closures, blocks, and free slots."""
