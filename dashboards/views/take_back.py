"""Taking back a status of a visit that was set by mistake, for the front desk and for clinicians."""

from typing import Any

import streamlit as st

from dashboards.problems import say
from dashboards.said import say_next
from dashboards.signed_in import call_api
from dashboards.visits import STATES

TAKE_BACK = "Take back"
NEEDED = dict.fromkeys(("CHECKED_IN", "IN_PROGRESS", "NO_SHOW"), "appointments.status") | {
    "COMPLETED": "session_completions.write"
}
ASK = (
    "This visit is closed. A completion counts for pay: if it is a mistake, ask the clinician, their supervisor or an "
    "admin to take it back."
)


def may_take_back(visit: dict[str, Any], may: list[str]) -> bool:
    """Return whether the person may take back the status of the visit."""
    return NEEDED.get(visit["status"]) in may


def say_closed(visit: dict[str, Any]) -> None:
    """Say that nothing can be done with the visit, and whom to ask about a completion."""
    say("info", ASK if visit["status"] == "COMPLETED" else "This visit is closed.")


def show_take_back(visit: dict[str, Any]) -> None:
    """Show what taking the status back does, and take its reason."""
    key, state = f"visit-{visit['id']}", STATES[visit["status"]][0]
    st.caption("The visit goes back to its state before. The client gets no message about it.")
    reason = st.text_input(f"Why “{state}” is a mistake", key=f"{key}-mistake", max_chars=200)
    if st.button("Take it back", key=f"{key}-take-back", type="primary", icon=":material/undo:"):
        if not reason.strip():
            st.error("Write why it is a mistake: the history of the visit keeps it.")
            return
        body = {"from_status": visit["status"], "reason": reason.strip()}
        answer = call_api("POST", f"/appointments/{visit['id']}/revert", json=body)
        if answer.problem:
            say("error", answer.problem)
            return
        signed = ["Its signed note stays: if it is wrong as well, its author marks it as entered in error."]
        now = STATES[answer.document["status"]][0]
        say_next(f"Taken back. The visit is now: {now}.", signed if answer.document["signed_note_ids"] else [])
