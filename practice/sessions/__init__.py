"""What is put together from all rooms for somebody at their desk: it reads, and changes nothing."""
