"""The outbox: what is to be told to whom and when. Sending is another matter."""
