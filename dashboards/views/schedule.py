"""The page of the front desk: the visits of a day, check-in and the steps after it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import (
    show_figures,
    show_head,
    show_needs,
    show_panel,
    show_section,
    show_steps,
    show_table,
)
from dashboards.problems import dialog
from dashboards.shown import format_clock, format_day
from dashboards.signed_in import call_api, find_zone, load
from dashboards.visits import STATES, shorten_name

COLUMNS = [
    {"key": "when", "label": "When"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "clinician", "label": "Clinician"},
    {"key": "room", "label": "Room"},
    {"key": "waits", "label": "Waits", "right": True},
]
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


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    cards: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    visits: dict[str, dict[str, Any]]
    before: str
    after: str


def build_model(page: dict[str, Any], zone: ZoneInfo, now: datetime, *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    day = date.fromisoformat(page["day"])
    is_today = page["day"] == page["today"]
    cards = [
        build_card("visits", "Visits of the day", len(page["visits"])),
        build_card("waiting", "Clients who wait", page["waiting"]),
        build_card("in_session", "In session", page["in_session"]),
        build_card("rooms", "Rooms in use", page["rooms_in_use"]),
        build_card("waitlist", "On the waitlist", page["waitlist"]),
    ]
    return Model(
        about=f"{format_day(page['day'])}{', today' if is_today else ''}",
        cards=cards,
        rows=[build_row(visit, zone, now, hide_names=hide_names) for visit in page["visits"]],
        visits={visit["id"]: visit for visit in page["visits"]},
        before=(day - timedelta(days=1)).isoformat(),
        after=(day + timedelta(days=1)).isoformat(),
    )


def build_card(key: str, label: str, number: int) -> dict[str, Any]:
    return {"key": key, "label": label, "value": str(number)}


def build_row(visit: dict[str, Any], zone: ZoneInfo, now: datetime, *, hide_names: bool) -> dict[str, Any]:
    start, end = (datetime.fromisoformat(visit[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
    word, color = STATES.get(visit["status"], (visit["status"].title(), "gray"))
    if visit["status"] == "CHECKED_IN" and visit["ready_at"]:
        word = "Ready"
    return {
        "id": visit["id"],
        "when": f"{format_clock(start)} · {shorten_name(visit['client_name'], hide_names=hide_names)}",
        "below": f"{int((end - start).total_seconds() // 60)} min · {visit['reference']}",
        "state": {"word": word, "colour": color},
        "clinician": visit["clinician_name"] or "–",
        "room": "telehealth" if visit["telehealth"] else visit["room_name"] or "–",
        "waits": describe_wait(visit, now),
    }


def describe_wait(visit: dict[str, Any], now: datetime) -> str:
    """Return since how many minutes a client waits."""
    if visit["status"] != "CHECKED_IN" or not visit["arrived_at"]:
        return ""
    minutes = int((now - datetime.fromisoformat(visit["arrived_at"])).total_seconds() // 60)
    return f"{max(minutes, 0)} min"


def show_schedule() -> None:
    """Draw the page."""
    day = st.query_params.get("day")
    page, zone = load("/dashboards/schedule", {"day": day} if day else {}), find_zone()
    hide_names = bool(st.session_state.get("hide_names"))
    model = build_model(page, zone, datetime.now(zone), hide_names=hide_names)
    show_head("Schedule", model.about, has_names=True)
    show_steps("day", model.before, model.after)
    show_figures("board", model.cards)
    with show_panel("needs", "Needs you", "The most pressing first"):
        show_needs("needs", page["needs"])
    with show_panel("visits", "Visits", "Choose one to check in or to take its next step"):
        chosen = show_table("visits", "Visits of the day", COLUMNS, model.rows, "No visits on this day.")
        if chosen:
            show_visit(model.visits[chosen], zone, hide_names=hide_names)


@dialog("Visit")
def show_visit(visit: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> None:
    """Show a visit with the steps that are possible now."""
    start = datetime.fromisoformat(visit["starts_at"]).astimezone(zone)
    name = shorten_name(visit["client_name"], hide_names=hide_names)
    service = visit["service_name"] or visit["service_code"]
    when = f"{format_day(start.date().isoformat())}, {format_clock(start)}"
    show_section(name, f"{when} · {service} with {visit['clinician_name']} · {visit['reference']}")
    steps = STEPS.get(visit["status"], ())
    if not steps:
        st.info("This visit is closed.")
        return
    reason = st.text_input("Reason, if a consent is missing", key="override", max_chars=200)
    with st.container(horizontal=True):
        for step in steps:
            label, icon = STEP_WORDS[step]
            if st.button(label, icon=icon, key=f"step-{step}", type="primary" if step == steps[0] else "secondary"):
                take_step(visit["id"], step, reason)


def take_step(appointment_id: str, step: str, reason: str) -> None:
    """Take a step of a visit, and say what the front desk still has to obtain."""
    takes_reason = step in ("check-in", "start", "complete") and reason.strip()
    body = {"consent_override_reason": reason.strip()} if takes_reason else {}
    answer = call_api("POST", f"/appointments/{appointment_id}/{step}", json=body)
    if answer.problem:
        st.error(answer.problem)
        return
    outstanding = answer.document.get("outstanding_items") or []
    if outstanding:
        st.warning(f"Checked in. Still to obtain: {', '.join(outstanding)}.")
        return
    st.rerun()
