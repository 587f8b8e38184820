"""Note deadlines and the locking of sessions."""
