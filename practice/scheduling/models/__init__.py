"""Tables of the schedule: the catalog, availability, appointments, the waitlist."""
