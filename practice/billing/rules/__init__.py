"""Rules of billing, without database or clock."""
