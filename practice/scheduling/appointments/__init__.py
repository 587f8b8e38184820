"""Booking appointments, their lifecycle, and schedule queries."""
