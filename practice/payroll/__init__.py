"""What clinicians are paid for their sessions."""
