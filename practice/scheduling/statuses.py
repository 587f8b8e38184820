"""Appointment statuses: which take up time, which are final."""

ACTIVE = frozenset({"SCHEDULED", "CONFIRMED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED"})  # these take up their time


FINAL = frozenset({"COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"})


STATUSES = ACTIVE | FINAL
