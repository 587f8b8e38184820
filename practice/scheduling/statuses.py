"""Appointment statuses: those that occupy their time and those that are final."""

ACTIVE = frozenset({"SCHEDULED", "CONFIRMED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED"})  # these occupy their time
BEGUN = frozenset({"CHECKED_IN", "IN_PROGRESS", "COMPLETED"})  # the visit takes or took place
EXPECTED = frozenset({"SCHEDULED", "CONFIRMED"})  # the client has not come yet, and gets reminders
FINAL = frozenset({"COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"})
STATUSES = ACTIVE | FINAL
