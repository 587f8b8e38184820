"""Scheduling: catalog, availability, appointments and waitlist."""
