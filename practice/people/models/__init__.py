"""Tables of practices and staff, of clients, and of a practice's own records."""
