"""The page of a clinician: own figures, today's visits, notes to sign, this pay week, and what needs them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import (
    choose_period,
    read_day,
    show_brief,
    show_figures,
    show_head,
    show_needs,
    show_panel,
    show_records,
    show_steps,
    show_table,
    show_week,
    to_card,
)
from dashboards.navigation import open_page
from dashboards.problems import say
from dashboards.said import show_said
from dashboards.shown import format_amount, format_clock, format_date, format_day, format_instant
from dashboards.signed_in import call_api, find_account, load
from dashboards.views.move_requests import show_own_request
from dashboards.views.own_visit import NEXT_STEPS, STEP_WORDS, show_own_visit
from dashboards.views.rows_behind import show_rows_behind
from dashboards.visits import NOTE_STATES, STATES, is_hiding_names, shorten_name
from dashboards.week_layout import build_week

VISIT_COLUMNS = [
    {"key": "when", "label": "When"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "step", "label": "Next", "right": True},
]
NOTE_COLUMNS = [
    {"key": "when", "label": "Session"},
    {"key": "state", "label": "Note", "kind": "badge"},
    {"key": "due", "label": "Due"},
    {"key": "amount", "label": "Pays", "right": True},
]

REQUEST_COLUMNS = [{"key": "what", "label": "Request"}, {"key": "state", "label": "State", "kind": "badge"}]
REQUEST_STATES = {
    "PENDING": ("Waits for the front desk", "orange"),
    "APPROVED": ("Moved", "green"),
    "REJECTED": ("Refused", "red"),
    "WITHDRAWN": ("Withdrawn", "gray"),
}


GOAL_COLUMNS = [
    {"key": "name", "label": "Goal"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "now", "label": "Now", "right": True},
]
GOAL_STATES = {"reached": ("Reached", "green"), "not_yet": ("Not yet", "orange"), "no_data": ("No data yet", "gray")}


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    cards: list[dict[str, Any]]
    figures: dict[str, dict[str, Any]]
    visits: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    ready: list[dict[str, Any]]
    goals: list[dict[str, Any]]
    requests: list[dict[str, Any]]


def build_model(page: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    period, figures = page["period"], {figure["key"]: figure for figure in page["figures"]}
    since = f"since the {period['kind']} before"
    cards = [build_notes_card(page), build_pay_card(page, zone)]
    cards += [to_card(figure, since) for figure in page["figures"]]
    visits = page["visits"]
    count = len(visits)
    sessions = f"{count} visit{'' if count == 1 else 's'} today"
    return Model(
        about=f"{format_day(page['today'])} · {sessions} · kept this week: {page['kept_this_week']}",
        cards=cards,
        figures=figures,
        visits=[build_visit(visit, zone, hide_names=hide_names) for visit in visits],
        notes=[build_note(session, zone, hide_names=hide_names) for session in page["unsigned"]],
        ready=[session for session in page["unsigned"] if session["note_status"] == "DRAFT" and not session["locked"]],
        goals=[build_goal(goal) for goal in page["goals"]],
        requests=[build_request(request, zone, hide_names=hide_names) for request in page["requests"]],
    )


def build_notes_card(page: dict[str, Any]) -> dict[str, Any]:
    notes = page["notes_to_sign"]
    word = ("Late", "red") if notes["late"] else ("To sign", "orange") if notes["count"] else ("All signed", "green")
    return {
        "key": "notes_to_sign",
        "label": "Notes to sign",
        "value": str(notes["count"]),
        "target": f"{notes['late']} late" if notes["late"] else "",
        "badge": {"word": word[0], "colour": word[1]},
    }


def build_pay_card(page: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    pay = page["pay"]
    cut_off = datetime.fromisoformat(pay["cut_off"]).astimezone(zone)
    waits = Decimal(pay["standby"]) > 0
    return {
        "key": "pay",
        "label": f"Pay week of {format_day(pay['week'])}",
        "value": format_amount(pay["earned"]),
        "target": f"{format_amount(pay['standby'])} on standby · cut off {cut_off:%A} {format_clock(cut_off)}",
        "badge": {"word": "On standby", "colour": "orange"} if waits else {"word": "Open", "colour": "gray"},
    }


def build_visit(visit: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> dict[str, Any]:
    start, end = (datetime.fromisoformat(visit[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
    name = shorten_name(visit["client_name"], hide_names=hide_names)
    where = "telehealth" if visit["telehealth"] else visit.get("room_name") or "no room"
    word, color = STATES.get(visit["status"], (visit["status"].title(), "gray"))
    return {
        "id": visit["id"],
        "when": f"{format_clock(start)} · {name}",
        "below": f"{int((end - start).total_seconds() // 60)} min · {where}",
        "state": {"word": word, "colour": color},
        "step": STEP_WORDS[NEXT_STEPS[visit["status"]]][0] if visit["status"] in NEXT_STEPS else "",
    }


def build_note(session: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> dict[str, Any]:
    start = datetime.fromisoformat(session["starts_at"]).astimezone(zone)
    name = shorten_name(session["client_name"], hide_names=hide_names)
    word, color = NOTE_STATES[session["note_status"]] if session["note_status"] else ("None yet", "gray")
    if session["locked"]:
        word, color = ("In review, locked" if session["note_status"] == "IN_REVIEW" else "Locked", "red")
    return {
        "id": session["appointment_id"],
        "when": f"{format_day(start.date().isoformat())}, {format_clock(start)} · {name}",
        "state": {"word": word, "colour": color},
        "due": format_instant(session["deadline"], zone),
        "amount": "–" if session["amount"] is None else format_amount(session["amount"]),
    }


def show_own_week(page: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> None:
    """Show the clinician's week, with the steps to the weeks before and after."""
    first = date.fromisoformat(page["week"][0]["on"])
    show_steps("week", *((first + timedelta(days=days)).isoformat() for days in (-7, 7)))
    columns, visits = page["week"], page["week_visits"]
    shown = {"by": "clinician", "titles": "day", "today": page["today"], "opens": ["visit"]}
    week = build_week(columns, visits, zone, hide_names=hide_names, **shown)
    opened = show_week("own-week", "Your week", week.data, "No days.")
    if opened in week.visits:
        show_own_visit(week.visits[opened], page, hide_names=hide_names)


def build_goal(goal: dict[str, Any]) -> dict[str, Any]:
    word, color = GOAL_STATES[goal["state"]]
    return {
        "id": goal["id"],
        "name": goal["label"],
        "below": f"{goal['target']} until {format_date(goal['ends_on'])}",
        "state": {"word": word, "colour": color},
        "now": goal["now"],
    }


def build_request(request: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> dict[str, Any]:
    """Return a request to move a visit with its state, and what was said about it."""
    name = shorten_name(request["client_name"], hide_names=hide_names)
    word, color = REQUEST_STATES[request["status"]]
    before, after = (format_instant(request[key], zone) for key in ("appointment_starts_at", "starts_at"))
    return {
        "id": request["id"],
        "what": f"Move {name} from {before} to {after}",
        "below": request["decision_note"] or "",
        "state": {"word": word, "colour": color},
    }


def show_my_practice() -> None:
    """Draw the page."""
    page = load("/dashboards/my-practice", choose_period() | read_day("week"))
    hide_names = is_hiding_names()
    account = find_account()
    model = build_model(page, ZoneInfo(account.time_zone), hide_names=hide_names)
    show_head(f"Hello, {account.name.split()[0]}", model.about, page["period"], has_names=True)
    show_said()
    show_brief(page["brief"] if not hide_names else page["brief"][:1])
    opened = show_figures("mine", model.cards)
    if opened in model.figures:
        show_rows_behind(model.figures[opened])
    left, right = st.columns([7, 6], gap="small")
    with left:
        with show_panel("today", "Today", "Choose a visit to take its next step or write its note"):
            chosen = show_table("visits", "Today's visits", VISIT_COLUMNS, model.visits, "No visits today.")
            if chosen:
                visit = next(visit for visit in page["visits"] if visit["id"] == chosen)
                show_own_visit([visit], page, hide_names=hide_names)
        with show_panel("notes", "Notes to sign", "Oldest first; choose one to write it"):
            chosen = show_table("unsigned", "Sessions without a signed note", NOTE_COLUMNS, model.notes, "All signed.")
            if chosen:
                open_page("note", session=chosen)
            if model.ready and "notes.write" in page["may"]:
                show_sign_button(model.ready, page["note_step"])
    with right:
        with show_panel("needs", "Needs you", "The most pressing first"):
            pressed = show_needs("needs", page["needs"], hide_names=hide_names)
        with show_panel("goals", "My goals", "Set with your supervisor"):
            show_table("goals", "My goals", GOAL_COLUMNS, model.goals, "No goals are set.", opens=False)
        with show_panel("requests", "My requests", "To move visits, newest first"):
            chosen = show_table("requests", "My requests", REQUEST_COLUMNS, model.requests, "No requests.")
            request = next((request for request in page["requests"] if request["id"] == chosen), None)
            if request:
                show_own_request(request, ZoneInfo(account.time_zone), hide_names=hide_names)
        with show_panel("statements", "My pay statements", "Of closed weeks"):
            show_statements(page["statements"], page["staff_id"])
        need = next((need for need in page["needs"] if need["key"] == pressed), None)
        if need and need["action"] == "sign_notes":
            finish_notes(model.ready, page["note_step"])
        elif need and need["records"]:
            show_records(need, hide_names=hide_names)
    with show_panel("week", "Your week", "Choose a visit to see it, or to ask for another time"):
        show_own_week(page, ZoneInfo(account.time_zone), hide_names=hide_names)


def show_statements(weeks: list[str], staff_id: str) -> None:
    """Show the links of the person's own pay statements."""
    if not weeks:
        st.caption("No closed week has paid you yet.")
    with st.container(horizontal=True):
        for week in weeks:
            address = f"/files/statement.pdf?week={week}&staff_id={staff_id}"
            st.link_button(f"Week of {format_date(week)}", address, icon=":material/download:")


def show_sign_button(ready: list[dict[str, Any]], step: str) -> None:
    """Show the button that signs the drafts, or submits those of somebody whose notes are reviewed."""
    verb, count = step.capitalize(), len(ready)
    label = f"{verb} the draft" if count == 1 else f"{verb} all {count} drafts"
    if st.button(label, key="sign-all", icon=":material/ink_pen:"):
        finish_notes(ready, step)


def finish_notes(ready: list[dict[str, Any]], step: str) -> None:
    """Sign or submit the drafts of these sessions, and say which were refused and why."""
    if not ready:
        st.info("No draft is ready: write the notes first, or have locked sessions unlocked.")
        return
    refused = submit_notes(ready) if step == "submit" else sign_notes(ready)
    for message in dict.fromkeys(refused):
        say("warning", message)
    if not refused:
        st.rerun()


def sign_notes(ready: list[dict[str, Any]]) -> list[str]:
    """Sign the drafts, and return what is refused."""
    answer = call_api("POST", "/notes/bulk-sign", json={"note_ids": [session["note_id"] for session in ready]})
    if answer.problem:
        return [answer.problem]
    return [result["message"] for result in answer.document["items"] if not result["succeeded"]]


def submit_notes(ready: list[dict[str, Any]]) -> list[str]:
    """Submit the drafts in the versions that were listed, and return what is refused."""
    answers = [
        call_api("POST", f"/notes/{session['note_id']}/submit", headers={"If-Match": f'"{session["note_version"]}"'})
        for session in ready
    ]
    return [answer.problem for answer in answers if answer.problem]
