"""Rules about hours: valid windows, open hours, free slots."""
