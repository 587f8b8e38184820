"""Tables of scheduling: catalog, availability, appointments and waitlist."""
