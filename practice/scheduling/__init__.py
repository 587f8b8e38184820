"""The schedule: when clinicians are open, what is booked, and what the practice's rules say about it."""
