"""Rules of availability: valid windows, open hours, free slots."""
