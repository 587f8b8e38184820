"""Requests of clinicians to move visits: the front desk decides, clinicians ask and withdraw."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import show_section
from dashboards.problems import dialog, say
from dashboards.said import say_next
from dashboards.signed_in import call_api, load
from dashboards.views.free_times import Lists, choose_time, describe_time, to_local
from dashboards.visits import shorten_name


def describe_move(request: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> str:
    """Return what a request wants to move, from when to when."""
    name = shorten_name(request["client_name"], hide_names=hide_names)
    before, after = (describe_time(request[key], zone) for key in ("appointment_starts_at", "starts_at"))
    return f"{name}: {before} to {after}"


@dialog("Requests to move visits", on_dismiss="rerun")
def decide_requests(requests: list[dict[str, Any]], zone: ZoneInfo, *, hide_names: bool) -> None:
    """Show the requests that wait, one at a time, to approve or reject."""
    named = {request["id"]: request for request in requests}
    chosen = st.selectbox(
        "Request", list(named), format_func=lambda id: describe_move(named[id], zone, hide_names=hide_names)
    )
    request, key = named[chosen], f"request-{chosen}"
    room = f" · room {request['room_name']}" if request["room_name"] else ""
    about = f"{request['asked_by_name']} asks to move {request['appointment_reference']}{room}. {request['reason']}"
    show_section(describe_move(request, zone, hide_names=hide_names), about)
    st.caption("If you approve, the visit moves at once, and the client gets a message.")
    note = st.text_input("A word to the clinician; a rejection needs it", key=f"{key}-note", max_chars=1000).strip()
    with st.container(horizontal=True):
        if st.button("Approve", key=f"{key}-approve", type="primary", icon=":material/check:"):
            decide(request, "approve", note, "Approved: the visit is moved.")
        if st.button("Reject", key=f"{key}-reject", icon=":material/close:"):
            if note:
                decide(request, "reject", note, "Rejected: the visit stays as it is.")
            else:
                st.error("Write why it is not moved: the clinician reads it.")


def decide(request: dict[str, Any], decision: str, note: str, done: str) -> None:
    """Approve or reject a request, or say why that is refused."""
    answer = call_api("POST", f"/reschedule-requests/{request['id']}/{decision}", json={"note": note} if note else {})
    if answer.problem:
        say("error", answer.problem)
        return
    say_next(done)


@dialog("Request to move a visit")
def show_own_request(request: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> None:
    """Show the clinician's own request, to withdraw it while it waits."""
    show_section(describe_move(request, zone, hide_names=hide_names), request["reason"])
    show_withdrawal(request)


def show_withdrawal(request: dict[str, Any]) -> None:
    """Show the button that withdraws a request which still waits."""
    if request["status"] != "PENDING":
        say("caption", request["decision_note"] or "It is decided.")
    elif st.button("Withdraw", key=f"request-{request['id']}-withdraw", icon=":material/undo:"):
        answer = call_api("POST", f"/reschedule-requests/{request['id']}/withdraw")
        if answer.problem:
            say("error", answer.problem)
            return
        say_next("Withdrawn: the visit stays as it is.")


def ask_to_move(visit: dict[str, Any], lists: Lists) -> None:
    """Show free times to ask the front desk for."""
    key, service = f"ask-{visit['id']}", load(f"/appointments/{visit['id']}")["service_code"]
    slot = choose_time(lists, key, visit["clinician_id"], service, to_local(visit["starts_at"], lists.zone).date())
    reason = st.text_input("Why it should move", key=f"{key}-reason", max_chars=1000).strip()
    if st.button("Ask the front desk", key=f"{key}-send", type="primary", disabled=slot is None) and slot:
        if not reason:
            st.error("Write why it should move: the front desk decides by it.")
            return
        body = {"appointment_id": visit["id"], "starts_at": slot["starts_at"], "reason": reason}
        answer = call_api("POST", "/reschedule-requests", json=body)
        if answer.problem:
            say("error", answer.problem)
            return
        say_next("Asked. The front desk decides, and you get a message.")
