"""Visits and notes in words: their states and types, and names of clients, which can be hidden."""

import streamlit as st

STATES = {
    "SCHEDULED": ("Booked", "gray"),
    "CONFIRMED": ("Confirmed", "blue"),
    "CHECKED_IN": ("Checked in", "green"),
    "IN_PROGRESS": ("In session", "green"),
    "COMPLETED": ("Completed", "gray"),
    "NO_SHOW": ("No-show", "orange"),
    "CANCELLED": ("Cancelled", "gray"),
}
NOTE_STATES = {
    "DRAFT": ("Draft", "blue"),
    "IN_REVIEW": ("In review", "orange"),
    "SIGNED": ("Signed", "green"),
    "AMENDED": ("Amended", "green"),
    "ENTERED_IN_ERROR": ("Entered in error", "gray"),
}
NOTE_TYPES = {
    "SOAP_NOTE": "SOAP note",
    "PROGRESS_NOTE": "Progress note",
    "INTAKE_ASSESSMENT": "Intake assessment",
    "PSYCHIATRIC_EVALUATION": "Psychiatric evaluation",
    "TREATMENT_PLAN": "Treatment plan",
    "SAFETY_PLAN": "Safety plan",
    "DISCHARGE_SUMMARY": "Discharge summary",
    "CRISIS_INTERVENTION": "Crisis intervention",
}


def is_hiding_names() -> bool:
    """Return whether names are hidden on all pages, for a screen that others can see."""
    return bool(st.session_state.get("hide_names"))


def shorten_name(name: str | None, *, hide_names: bool) -> str:
    """Return the name, or its initials if names are hidden."""
    if not name:
        return "–"
    return " ".join(f"{part[0]}." for part in name.split()) if hide_names else name
