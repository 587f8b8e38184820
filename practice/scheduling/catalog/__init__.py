"""The catalog: bookable services, clinicians, rooms and prices."""
