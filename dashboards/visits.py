"""Visits in words: their states, and names of clients, which can be hidden."""

STATES = {
    "SCHEDULED": ("Booked", "gray"),
    "CONFIRMED": ("Confirmed", "blue"),
    "CHECKED_IN": ("Checked in", "green"),
    "IN_PROGRESS": ("In session", "green"),
    "COMPLETED": ("Completed", "gray"),
    "NO_SHOW": ("No-show", "orange"),
    "CANCELLED": ("Cancelled", "gray"),
}


def shorten_name(name: str | None, *, hide_names: bool) -> str:
    """Return the name, or its initials if names are hidden."""
    if not name:
        return "–"
    return " ".join(f"{part[0]}." for part in name.split()) if hide_names else name
