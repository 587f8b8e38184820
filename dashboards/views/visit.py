"""The dialog of a visit: its next step, moving it to a free time, and cancelling it."""

from typing import Any

import streamlit as st

from dashboards.components import show_section
from dashboards.problems import dialog, say
from dashboards.said import say_next
from dashboards.shown import format_clock, format_day
from dashboards.signed_in import call_api
from dashboards.views.free_times import (
    Lists,
    choose_clinician,
    choose_room,
    choose_time,
    describe_time,
    keep_refusal,
    show_refusal,
    to_local,
)
from dashboards.views.own_visit import choose_seat
from dashboards.views.take_back import TAKE_BACK, may_take_back, say_closed, show_take_back
from dashboards.visits import shorten_name

STEPS = {
    "SCHEDULED": ("confirm", "check-in", "complete", "no-show"),
    "CONFIRMED": ("check-in", "complete", "no-show"),
    "CHECKED_IN": ("ready", "start", "complete"),
    "IN_PROGRESS": ("complete",),
}
STEP_WORDS = {
    "confirm": ("Confirm", ":material/event_available:"),
    "check-in": ("Check in", ":material/how_to_reg:"),
    "ready": ("Ready", ":material/done:"),
    "start": ("Start", ":material/play_arrow:"),
    "complete": ("Complete", ":material/task_alt:"),
    "no-show": ("No-show", ":material/person_off:"),
}
STEP, MOVE, CANCEL = "Next step", "Move", "Cancel"
SERIES = {"this": "This visit", "this_and_following": "This and the following", "all": "All that are still to come"}


def list_tasks(visit: dict[str, Any], may: list[str]) -> list[str]:
    """Return what can be done with the visit."""
    tasks = [STEP] if visit["status"] in STEPS else []
    is_expected = visit["status"] in ("SCHEDULED", "CONFIRMED")
    if is_expected and visit["group_session_id"] is None and "appointments.move" in may:
        tasks.append(MOVE)
    if (is_expected or visit["status"] == "CHECKED_IN") and "appointments.cancel" in may:
        tasks.append(CANCEL)
    if may_take_back(visit, may):
        tasks.append(TAKE_BACK)
    return tasks


@dialog("Visit", on_dismiss="rerun")
def show_visit(visits: list[dict[str, Any]], lists: Lists, may: list[str], *, hide_names: bool) -> None:
    """Show a visit with what can be done now; of a group, the seat that is chosen."""
    visit = choose_seat(visits, hide_names=hide_names)
    start = to_local(visit["starts_at"], lists.zone)
    service = visit["service_name"] or visit["service_code"]
    when = f"{format_day(start.date().isoformat())}, {format_clock(start)}"
    name = shorten_name(visit["client_name"], hide_names=hide_names)
    show_section(name, f"{when} · {service} with {visit['clinician_name']} · {visit['reference']}")
    tasks = list_tasks(visit, may)
    if not tasks:
        say_closed(visit)
        return
    key = f"visit-{visit['id']}"
    task = st.segmented_control("What to do", tasks, default=tasks[0], required=True, key=f"{key}-task")
    if task == MOVE:
        show_move(visit, lists, key)
    elif task == CANCEL:
        show_cancellation(visit, key)
    elif task == TAKE_BACK:
        show_take_back(visit)
    else:
        show_steps(visit)


def show_steps(visit: dict[str, Any]) -> None:
    """Show the steps that are possible now."""
    steps = STEPS[visit["status"]]
    reason = st.text_input("Reason, if a consent is missing", key=f"visit-{visit['id']}-override", max_chars=200)
    with st.container(horizontal=True):
        for step in steps:
            label, icon = STEP_WORDS[step]
            if step == "no-show":
                with st.popover(label, icon=icon):
                    st.caption("The client gets a message that they were missed.")
                    if st.button("Mark as no-show", key=f"step-{step}", type="primary"):
                        take_step(visit["id"], step, reason)
            elif st.button(label, icon=icon, key=f"step-{step}", type="primary" if step == steps[0] else "secondary"):
                take_step(visit["id"], step, reason)


def take_step(appointment_id: str, step: str, reason: str) -> None:
    """Take a step of a visit, and say what the front desk still has to obtain."""
    takes_reason = step in ("check-in", "start", "complete") and reason.strip()
    body = {"consent_override_reason": reason.strip()} if takes_reason else {}
    answer = call_api("POST", f"/appointments/{appointment_id}/{step}", json=body)
    if answer.problem:
        say("error", answer.problem)
        return
    outstanding = answer.document.get("outstanding_items") or []
    if outstanding:
        say_next("Checked in.", [f"Still to obtain: {item}" for item in outstanding])
    st.rerun()


def choose_series_scope(visit: dict[str, Any], key: str) -> str:
    """Return which visits of its series are meant."""
    if visit["series_id"] is None:
        return "this"
    return st.radio("Of the series", list(SERIES), format_func=lambda scope: SERIES[scope], key=f"{key}-series")


def show_move(visit: dict[str, Any], lists: Lists, key: str) -> None:
    """Show free times to move the visit to."""
    clinician_id = choose_clinician(lists, key, visit["clinician_id"])
    day = to_local(visit["starts_at"], lists.zone).date()
    slot = choose_time(lists, key, clinician_id, visit["service_code"], day)
    room_id = choose_room(lists, key, visit["room_id"])
    series_scope = choose_series_scope(visit, key)

    def move(starts_at: str, to_clinician: str, to_room: str | None) -> None:
        body: dict[str, Any] = {"starts_at": starts_at, "series_scope": series_scope}
        body |= {"clinician_id": to_clinician} if to_clinician != visit["clinician_id"] else {}
        body |= {"room_id": to_room} if to_room != visit["room_id"] else {}
        answer = call_api("POST", f"/appointments/{visit['id']}/reschedule", json=body)
        if answer.problem:
            keep_refusal(answer)
            return
        moved = answer.document["items"]
        others = f" and {len(moved) - 1} more of the series" if len(moved) > 1 else ""
        say_next(f"Moved to {describe_time(starts_at, lists.zone)}{others}.", answer.document["warnings"])

    pressed = st.button(
        "Move", key=f"{key}-move", type="primary", icon=":material/event_repeat:", disabled=slot is None
    )
    if pressed and slot and clinician_id:
        move(slot["starts_at"], clinician_id, room_id)
    show_refusal(
        lists,
        lambda alternative: move(alternative["starts_at"], alternative["clinician_id"], alternative["room_id"]),
    )


def show_cancellation(visit: dict[str, Any], key: str) -> None:
    """Show what a cancellation does, and take its reason."""
    st.caption("The client gets a message, and a time still ahead is offered to the waitlist. Nothing is charged.")
    reason = st.text_input("Why it is cancelled", key=f"{key}-reason", max_chars=1000)
    series_scope = choose_series_scope(visit, key)
    if st.button("Cancel the visit", key=f"{key}-cancel", type="primary", icon=":material/event_busy:"):
        body = {"reason": reason.strip() or None, "series_scope": series_scope}
        answer = call_api("POST", f"/appointments/{visit['id']}/cancel", json=body)
        if answer.problem:
            say("error", answer.problem)
            return
        count = len(answer.document["items"])
        say_next("Cancelled." if count == 1 else f"{count} visits cancelled.", answer.document["warnings"])
