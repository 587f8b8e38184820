"""Tables of practices, staff, clients, and a practice's own records."""
