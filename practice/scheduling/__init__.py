"""Services, rooms, hours and appointments: what is booked, with whom, where and when."""
