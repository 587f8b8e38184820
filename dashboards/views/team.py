"""The page of a supervisor: the team's figures, notes to co-sign, locked sessions, hours, workload, talks and goals."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import choose_period, show_panel, show_section, show_table
from dashboards.problems import dialog, say
from dashboards.shown import format_amount, format_instant
from dashboards.signed_in import call_api, find_zone, load
from dashboards.views.overview import show_checks, show_needs_panel, show_top
from dashboards.visits import shorten_name

NOTE_COLUMNS = [
    {"key": "who", "label": "Note"},
    {"key": "kind", "label": "Kind", "kind": "badge"},
    {"key": "since", "label": "Submitted"},
]
LOCKED_COLUMNS = [
    {"key": "who", "label": "Session"},
    {"key": "note", "label": "Note", "kind": "badge"},
    {"key": "amount", "label": "Pays", "right": True},
]
HOURS_COLUMNS = [
    {"key": "name", "label": "Clinician"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "held", "label": "Held", "right": True},
]
WORKLOAD_COLUMNS = [
    {"key": "name", "label": "Clinician"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "sessions", "label": "This week", "right": True},
    {"key": "busiest", "label": "Busiest day", "right": True},
]
TALK_COLUMNS = [{"key": "name", "label": "Clinician"}, {"key": "state", "label": "Talk", "kind": "badge"}]


@dataclass(frozen=True)
class Model:
    """The supervisor's own parts of the page, as they are drawn."""

    notes: list[dict[str, Any]]
    locked: list[dict[str, Any]]
    hours: list[dict[str, Any]]
    workload: list[dict[str, Any]]
    talks: list[dict[str, Any]]


def build_model(page: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    return Model(
        notes=[build_note(note, zone, hide_names=hide_names) for note in page["in_review"]],
        locked=[build_locked(session, zone, hide_names=hide_names) for session in page["locked"]],
        hours=[build_hours(hours) for hours in page["supervision"]],
        workload=[build_workload(workload) for workload in page["workload"]],
        talks=[build_talk(coaching) for coaching in page["coaching"]],
    )


def build_note(note: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> dict[str, Any]:
    word = ("A change", "blue") if note["is_change"] else ("New", "gray")
    return {
        "id": note["note_id"],
        "who": f"{note['clinician_name']} · {shorten_name(note['client_name'], hide_names=hide_names)}",
        "kind": {"word": word[0], "colour": word[1]},
        "since": format_instant(note["submitted_at"] or note["created_at"], zone),
    }


def build_locked(session: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> dict[str, Any]:
    word = ("Draft", "blue") if session["note_id"] else ("None yet", "gray")
    return {
        "id": session["appointment_id"],
        "who": f"{session['clinician_name']} · {shorten_name(session['client_name'], hide_names=hide_names)}",
        "below": f"{format_instant(session['starts_at'], zone)}, due {format_instant(session['deadline'], zone)}",
        "note": {"word": word[0], "colour": word[1]},
        "amount": "–" if session["amount"] is None else format_amount(session["amount"]),
    }


def build_hours(hours: dict[str, Any]) -> dict[str, Any]:
    held, missing = format_hours(hours["held"]), format_hours(hours["missing"])
    if hours["required"] is None:
        state = ("Not required", "gray")
    else:
        state = ("Met", "green") if missing == "0" else (f"{missing} to go", "orange")
    unsigned = format_hours(hours["unsigned"])
    return {
        "id": hours["clinician_id"],
        "name": hours["clinician_name"],
        "below": "" if unsigned == "0" else f"{unsigned} without a signed note",
        "state": {"word": state[0], "colour": state[1]},
        "held": held if hours["required"] is None else f"{held} of {hours['required']}",
    }


def format_hours(hours: str) -> str:
    """Return hours without needless zeros."""
    return hours.rstrip("0").rstrip(".") if "." in hours else hours


def build_workload(workload: dict[str, Any]) -> dict[str, Any]:
    state = ("Too much", "red") if workload["reasons"] else ("Fine", "green")
    return {
        "id": workload["clinician_id"],
        "name": workload["clinician_name"],
        "below": "; ".join(workload["reasons"]),
        "state": {"word": state[0], "colour": state[1]},
        "sessions": str(workload["sessions"]),
        "busiest": str(workload["busiest_day"]),
    }


def build_talk(coaching: dict[str, Any]) -> dict[str, Any]:
    state = ("Coaching", "orange") if coaching["kind"] == "coaching" else ("Recognition", "green")
    return {
        "id": coaching["clinician_id"],
        "name": coaching["clinician_name"],
        "below": " ".join([f"{'; '.join(coaching['reasons'])}.", *coaching["actions"]]),
        "state": {"word": state[0], "colour": state[1]},
    }


def show_team() -> None:
    """Draw the page."""
    page, zone = load("/dashboards/team", choose_period()), find_zone()
    model = build_model(page, zone, hide_names=bool(st.session_state.get("hide_names")))
    show_top(page, "My team", "Nobody has you as supervisor in this period.", has_names=True)
    left, right = st.columns(2, gap="small")
    with left:
        show_needs_panel(page)
        with show_panel("in-review", "Notes to co-sign", "Choose one to read it; oldest first"):
            note = show_table("in-review", "Notes to co-sign", NOTE_COLUMNS, model.notes, "Nothing waits for you.")
        with show_panel("locked", "Locked sessions", "Choose one to unlock it for some hours"):
            locked = show_table("locked", "Locked sessions", LOCKED_COLUMNS, model.locked, "No session is locked.")
    with right:
        with show_panel("talks", "Talks to have", "Choose one to set a goal"):
            talk = show_table("talks", "Talks to have", TALK_COLUMNS, model.talks, "Nobody needs a talk now.")
        with show_panel("hours", "Supervision hours", "Of this month"):
            show_table("hours", "Supervision hours", HOURS_COLUMNS, model.hours, "No clinicians.", opens=False)
        with show_panel("workload", "Sessions of this week", "Held and booked"):
            show_table("workload", "Sessions of this week", WORKLOAD_COLUMNS, model.workload, "None.", opens=False)
        show_checks(page)
    if note:
        show_note(note, zone)
    elif locked:
        show_unlocking(next(session for session in page["locked"] if session["appointment_id"] == locked))
    elif talk:
        show_goals(next(coaching for coaching in page["coaching"] if coaching["clinician_id"] == talk))


@dialog("Note", width="large")
def show_note(note_id: str, zone: ZoneInfo) -> None:
    """Show a note, or the change of one, that waits for the supervisor, who signs or returns it."""
    note = load(f"/notes/{note_id}")
    shown = note["in_review"] or note
    title = "A change of a signed note" if note["in_review"] else "Note"
    name = shorten_name(note["client_name"], hide_names=bool(st.session_state.get("hide_names")))
    show_section(f"{title} · {name}", f"by {note['clinician_name']}, {format_instant(note['created_at'], zone)}")
    if note["in_review"] and shown["reason"]:
        st.text(f"Why: {shown['reason']}")
    for section in shown["sections"]:
        show_section(section["title"])
        st.text(section["text"])
    if shown["diagnoses"]:
        st.text(f"Diagnoses: {', '.join(shown['diagnoses'])}")
    if st.button("Co-sign", type="primary", icon=":material/ink_pen:", key="co-sign"):
        finish(call_api("POST", f"/notes/{note_id}/co-sign", headers={"If-Match": f'"{note["version"]}"'}))
    with st.form("return", border=False):
        reason = st.text_area("What the author has to change", max_chars=1000)
        if st.form_submit_button("Return to the author", icon=":material/undo:"):
            finish(call_api("POST", f"/notes/{note_id}/return", json={"reason": reason}))


@dialog("Unlock a session")
def show_unlocking(session: dict[str, Any]) -> None:
    """Unlock a session for some hours, with the reason for the audit log."""
    name = shorten_name(session["client_name"], hide_names=bool(st.session_state.get("hide_names")))
    show_section(f"{session['clinician_name']} · {name}", "Its note can be written and signed for some hours.")
    with st.form("unlock", border=False):
        hours = st.number_input("Hours", min_value=1, max_value=336, value=48, step=1)
        reason = st.text_input("Why, for the audit log", max_chars=200)
        if st.form_submit_button("Unlock", type="primary", icon=":material/lock_open:"):
            body = {"reason": reason, "hours": int(hours)}
            finish(
                call_api(
                    "POST", f"/compliance/session-completion/{session['appointment_id']}/supervisor-override", json=body
                )
            )


@dialog("Goals", width="large")
def show_goals(coaching: dict[str, Any]) -> None:
    """Show a clinician's goals, and set another one."""
    show_section(coaching["clinician_name"], build_talk(coaching)["below"])
    labels = {metric["key"]: metric["label"] for metric in load("/metrics/dictionary")["items"]}
    goals = load("/goals", {"staff_id": coaching["clinician_id"], "status": "ACTIVE"})["items"]
    for goal in goals:
        label = labels.get(goal["metric_key"], goal["metric_key"])
        st.text(f"{label}: {format_hours(goal['target'])}, until {goal['ends_on']}")
    today = datetime.now(find_zone()).date()
    with st.form("goal", border=False):
        metric = st.selectbox("Metric", list(labels), format_func=lambda key: labels[key])
        target = st.number_input("Target", min_value=0.0, step=1.0, value=85.0, format="%.2f")
        until = st.date_input("Until", value=today + timedelta(days=30), min_value=today, format="YYYY-MM-DD")
        if st.form_submit_button("Set the goal", type="primary"):
            finish(call_api("POST", "/goals", json=build_goal(coaching["clinician_id"], metric, target, today, until)))


def build_goal(clinician_id: str, metric: str, target: float, today: date, until: Any) -> dict[str, Any]:
    """Return a goal as the API takes it."""
    shown = f"{target:.2f}"
    return {
        "staff_id": clinician_id,
        "metric_key": metric,
        "target": shown,
        "starts_on": str(today),
        "ends_on": str(until),
    }


def finish(answer: Any) -> None:
    """Draw the page again, or say why the API refuses."""
    if answer.problem:
        say("error", answer.problem)
        return
    st.rerun()
