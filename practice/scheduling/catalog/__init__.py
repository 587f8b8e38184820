"""Bookable services, clinicians, rooms and prices."""
