"""The dialog of a clinician's own visit: its next step, its note, asking to move it, and taking its status back."""

from datetime import date
from typing import Any

import streamlit as st

from dashboards.components import show_section
from dashboards.navigation import open_page
from dashboards.problems import dialog, say
from dashboards.shown import format_clock, format_day
from dashboards.signed_in import call_api, find_zone
from dashboards.views.free_times import Lists, describe_time, to_local
from dashboards.views.move_requests import ask_to_move, show_withdrawal
from dashboards.views.take_back import may_take_back, show_take_back
from dashboards.visits import shorten_name

NEXT_STEPS = {"SCHEDULED": "complete", "CONFIRMED": "complete", "CHECKED_IN": "start", "IN_PROGRESS": "complete"}
STEP_WORDS = {"start": ("Start", ":material/play_arrow:"), "complete": ("Complete", ":material/task_alt:")}


@dialog("Visit", on_dismiss="rerun")
def show_own_visit(visits: list[dict[str, Any]], page: dict[str, Any], *, hide_names: bool) -> None:
    """Show a visit with its next step and its note; of a group, the seat that is chosen."""
    visit, may, zone = choose_seat(visits, hide_names=hide_names), page["may"], find_zone()
    start = to_local(visit["starts_at"], zone)
    where = "telehealth" if visit["telehealth"] else visit["room_name"] or "no room"
    name = shorten_name(visit["client_name"], hide_names=hide_names)
    show_section(name, f"{format_day(start.date().isoformat())}, {format_clock(start)} · {where}")
    step = NEXT_STEPS.get(visit["status"]) if "appointments.status" in may else None
    with st.container(horizontal=True):
        if step is not None:
            label, icon = STEP_WORDS[step]
            if st.button(label, key="visit-step", icon=icon, type="primary"):
                take_step(visit["id"], step)
        if "notes.write" in may and st.button("Write the note", key="visit-note", icon=":material/edit_note:"):
            open_page("note", session=visit["id"])
        if st.button("Open the client", key="visit-client", icon=":material/person:"):
            open_page("client", id=visit["client_id"])
    is_ahead = visit["status"] in ("SCHEDULED", "CONFIRMED")
    waiting = [request for request in page["requests"] if request["status"] == "PENDING"]
    request = next((request for request in waiting if request["appointment_id"] == visit["id"]), None)
    if request:
        say("info", f"You asked to move it to {describe_time(request['starts_at'], zone)}.")
        show_withdrawal(request)
    elif is_ahead and visit["group_session_id"] is None and "appointments.ask_to_move" in may:
        today = date.fromisoformat(page["today"])
        with st.expander("Ask for another time"):
            ask_to_move(visit, Lists({}, {}, {}, today, today, zone))
    if may_take_back(visit, may):
        with st.expander("Set by mistake?"):
            show_take_back(visit)


def choose_seat(visits: list[dict[str, Any]], *, hide_names: bool) -> dict[str, Any]:
    """Return the visit, or of the seats of a group the one that is chosen."""
    if len(visits) == 1:
        return visits[0]
    names = {visit["id"]: shorten_name(visit["client_name"], hide_names=hide_names) for visit in visits}
    chosen = st.selectbox("Client", list(names), format_func=lambda id: names[id])
    return next(visit for visit in visits if visit["id"] == chosen)


def take_step(appointment_id: str, step: str) -> None:
    """Take the next step of a visit, and say why if it is refused."""
    answer = call_api("POST", f"/appointments/{appointment_id}/{step}", json={})
    if answer.problem:
        say("error", answer.problem)
        return
    st.rerun()
