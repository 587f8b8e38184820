"""Clinicians' hours, closures, blocks, and the free time between bookings."""
