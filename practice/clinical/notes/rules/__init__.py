"""Rules about signatures and their verification."""
