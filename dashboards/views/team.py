"""The page of a supervisor: the team's figures, notes to co-sign, locked sessions, hours, workload, talks and goals."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import choose_period, show_panel, show_section, show_table
from dashboards.problems import dialog, say
from dashboards.said import say_next, show_said
from dashboards.shown import format_instant
from dashboards.signed_in import call_api, find_zone, load
from dashboards.views.actions import finish
from dashboards.views.goals import show_goals
from dashboards.views.locked_sessions import show_locked, show_unlocking
from dashboards.views.overview import show_checks, show_needs_panel, show_top
from dashboards.visits import is_hiding_names, shorten_name

NOTE_COLUMNS = [
    {"key": "who", "label": "Note"},
    {"key": "kind", "label": "Kind", "kind": "badge"},
    {"key": "since", "label": "Submitted"},
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
    hours: list[dict[str, Any]]
    workload: list[dict[str, Any]]
    talks: list[dict[str, Any]]


def build_model(page: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    return Model(
        notes=[build_note(note, zone, hide_names=hide_names) for note in page["in_review"]],
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
    model = build_model(page, zone, hide_names=is_hiding_names())
    show_top(page, "My team", "Nobody has you as supervisor in this period.", has_names=True)
    show_said()
    left, right = st.columns(2, gap="small")
    with left:
        show_needs_panel(page)
        with show_panel("in-review", "Notes to co-sign", "Choose one to read it; oldest first"):
            note = show_table("in-review", "Notes to co-sign", NOTE_COLUMNS, model.notes, "Nothing waits for you.")
        locked = show_locked(page["locked"], zone)
    with right:
        with show_panel("talks", "Talks to have", "Choose one to set a goal"):
            talk = show_table("talks", "Talks to have", TALK_COLUMNS, model.talks, "Nobody needs a talk now.")
        with show_panel("hours", "Supervision hours", "Of this month"):
            show_table("hours", "Supervision hours", HOURS_COLUMNS, model.hours, "No clinicians.", opens=False)
        with show_panel("workload", "Sessions of this week", "Held and booked"):
            show_table("workload", "Sessions of this week", WORKLOAD_COLUMNS, model.workload, "None.", opens=False)
        show_checks(page)
    if note:
        show_note(load(f"/notes/{note}"), zone)
    elif locked:
        show_unlocking(locked)
    elif talk:
        coaching = next(coaching for coaching in page["coaching"] if coaching["clinician_id"] == talk)
        show_goals(talk, coaching["clinician_name"], build_talk(coaching)["below"])


@dialog("Note", width="large")
def show_note(note: dict[str, Any], zone: ZoneInfo) -> None:
    """Show a note, or the change of one, that waits for the supervisor, who signs or returns what is shown here."""
    shown = note["in_review"] or note
    title = "A change of a signed note" if note["in_review"] else "Note"
    name = shorten_name(note["client_name"], hide_names=is_hiding_names())
    show_section(f"{title} · {name}", f"by {note['clinician_name']}, {describe_time(note, zone)}")
    if note["in_review"] and shown["reason"]:
        st.text(f"Why: {shown['reason']}")
    for section in shown["sections"]:
        show_section(section["title"])
        st.text(section["text"])
    if shown["diagnoses"]:
        st.text(f"Diagnoses: {', '.join(shown['diagnoses'])}")
    if st.button("Co-sign", type="primary", icon=":material/ink_pen:", key="co-sign"):
        finish(call_api("POST", f"/notes/{note['id']}/co-sign", headers={"If-Match": f'"{note["version"]}"'}))
    with st.form("return", border=False):
        reason = st.text_area("What the author has to change", max_chars=1000)
        if st.form_submit_button("Return to the author", icon=":material/undo:"):
            if load(f"/notes/{note['id']}")["version"] != note["version"]:
                st.error("This note was changed meanwhile. Close this, and read it again.")
            else:
                return_note(note["id"], reason, zone)


def describe_time(note: dict[str, Any], zone: ZoneInfo) -> str:
    """Return when the session of a note was, or when a note without one was begun."""
    if note["appointment_id"] is None:
        return f"begun on {format_instant(note['created_at'], zone)}"
    session = load(f"/appointments/{note['appointment_id']}")
    return f"session of {format_instant(session['starts_at'], zone)}"


def return_note(note_id: str, reason: str, zone: ZoneInfo) -> None:
    """Return a note to its author, and say until when its session is unlocked for them, if it was locked."""
    answer = call_api("POST", f"/notes/{note_id}/return", json={"reason": reason})
    if answer.problem:
        say("error", answer.problem)
        return
    until = answer.document["unlocked_until"]
    unlocked = f" Its session was locked and is unlocked for it until {format_instant(until, zone)}." if until else ""
    say_next(f"The note is returned to its author.{unlocked}")
