"""The waitlist: entries, and offers of freed times."""
