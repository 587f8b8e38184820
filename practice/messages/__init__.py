"""The message outbox: messages are planned here; sending them is a separate concern."""
