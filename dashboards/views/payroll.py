"""The page of payroll: a pay week, what it pays to whom, what waits, and closing it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import (
    show_brief,
    show_figures,
    show_head,
    show_panel,
    show_section,
    show_steps,
    show_table,
)
from dashboards.problems import dialog, say
from dashboards.shown import format_amount, format_clock, format_day
from dashboards.signed_in import call_api, find_zone, load

COLUMNS = [
    {"key": "name", "label": "Person"},
    {"key": "regular", "label": "Of the week", "right": True},
    {"key": "late", "label": "Signed late", "right": True},
    {"key": "adjustments", "label": "Corrections", "right": True},
    {"key": "total", "label": "Paid", "right": True},
    {"key": "standby", "label": "On standby", "right": True},
]
LINE_COLUMNS = [
    {"key": "held", "label": "Session"},
    {"key": "kind", "label": "Kind", "kind": "badge"},
    {"key": "minutes", "label": "Minutes", "right": True},
    {"key": "rate", "label": "Rate", "right": True},
    {"key": "amount", "label": "Amount", "right": True},
]
VISIT_COLUMNS = [{"key": "when", "label": "Visit"}, {"key": "who", "label": "Clinician"}]
KINDS = {
    "regular": ("Of the week", "green"),
    "late": ("Signed late", "blue"),
    "adjustment": ("Correction", "orange"),
    "standby": ("On standby", "orange"),
}


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    cards: list[dict[str, Any]]
    people: list[dict[str, Any]]
    lines: dict[str, list[dict[str, Any]]]
    open_visits: list[dict[str, Any]]
    not_closable: str | None


def build_model(page: dict[str, Any], zone: ZoneInfo) -> Model:
    """Return what the page shows of an answer of the API."""
    week = page["pay_week"]
    cut_off = datetime.fromisoformat(week["cut_off"]).astimezone(zone)
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in [*week["lines"], *week["standby"]]:
        lines.setdefault(line["staff_id"], []).append(build_line(line))
    still_open, waiting = len(week["open_visits"]), len(week["standby"])
    return Model(
        about=f"Week of {format_day(week['week'])} · cut off {format_day(cut_off.date().isoformat())}, "
        f"{format_clock(cut_off)}",
        cards=[
            build_card("total", "Paid by this week", format_amount(week["total"]), *describe_status(week["status"])),
            build_card(
                "standby", "On standby", format_amount(week["standby_total"]), *describe_count(waiting, "To sign")
            ),
            build_card("open", "Visits still open", str(still_open), *describe_count(still_open, "Open")),
        ],
        people=[build_person(statement) for statement in page["statements"]],
        lines=lines,
        open_visits=[build_open_visit(visit, zone) for visit in week["open_visits"]],
        not_closable=page["not_closable"],
    )


def build_card(key: str, label: str, value: str, word: str, color: str) -> dict[str, Any]:
    return {"key": key, "label": label, "value": value, "badge": {"word": word, "colour": color}}


def describe_status(status: str) -> tuple[str, str]:
    return {"CLOSED": ("Closed", "green"), "OPEN": ("Open", "blue")}.get(status, ("Paid elsewhere", "gray"))


def describe_count(count: int, word: str) -> tuple[str, str]:
    return (word, "orange") if count else ("None", "green")


def build_person(statement: dict[str, Any]) -> dict[str, Any]:
    amounts = ("regular", "late", "adjustments", "total", "standby")
    return {"id": statement["staff_id"], "name": statement["name"]} | {
        name: format_amount(statement[name]) for name in amounts
    }


def build_line(line: dict[str, Any]) -> dict[str, Any]:
    word, color = KINDS[line["kind"]]
    return {
        "id": f"{line['appointment_id']}-{line['kind']}",
        "held": f"{format_day(line['held_on'])} · {line['reference']}",
        "kind": {"word": word, "colour": color},
        "minutes": str(line["minutes"]),
        "rate": format_amount(line["rate"]),
        "amount": format_amount(line["amount"]),
    }


def build_open_visit(visit: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    start = datetime.fromisoformat(visit["starts_at"]).astimezone(zone)
    when = f"{format_day(start.date().isoformat())}, {format_clock(start)} · {visit['reference']}"
    return {"id": visit["id"], "when": when, "who": visit["clinician_name"]}


def show_payroll() -> None:
    """Draw the page."""
    week = st.query_params.get("week")
    page = load("/dashboards/payroll", {"week": week} if week else {})
    model = build_model(page, find_zone())
    show_head("Payroll", model.about)
    show_steps("week", page["previous_week"], page["next_week"])
    show_brief(page["brief"])
    show_figures("pay", model.cards)
    for problem in page["pay_week"]["problems"]:
        say("warning", problem)
    with show_panel("people", "Who is paid", "Choose a person to see the sessions"):
        chosen = show_table("people", "Pay of each person", COLUMNS, model.people, "Nobody is paid for this week yet.")
        if chosen:
            name = next(person["name"] for person in model.people if person["id"] == chosen)
            show_statement(name, page["pay_week"]["week"], chosen, model.lines.get(chosen, []))
    if model.open_visits:
        with show_panel("open", "Visits still open", "Neither completed nor missed, so nothing is paid for them"):
            show_table("open", "Visits still open", VISIT_COLUMNS, model.open_visits, "None.", opens=False)
    if model.not_closable:
        say("caption", model.not_closable)
    elif st.button("Close this week", key="close", type="primary", icon=":material/lock:"):
        confirm_closing(page["pay_week"]["week"], page["brief"])


@dialog("Sessions of the week", width="large")
def show_statement(name: str, week: str, staff_id: str, lines: list[dict[str, Any]]) -> None:
    """Show the lines of a person's statement, with its files."""
    show_section(name)
    show_table("lines", f"Sessions of {name}", LINE_COLUMNS, lines, "No sessions.", opens=False)
    with st.container(horizontal=True):
        for kind, label in (("pdf", "Statement as PDF"), ("csv", "Statement as CSV")):
            address = f"/files/statement.{kind}?week={week}&staff_id={staff_id}"
            st.link_button(label, address, icon=":material/download:")


@dialog("Close this week for good")
def confirm_closing(week: str, brief: list[str]) -> None:
    """Ask for the date of the week, then close it."""
    say("info", " ".join(brief))
    st.markdown(
        "**Closing cannot be undone.** What this week paid stays; later corrections come with the next week. "
        f"Type **{week}** to confirm."
    )
    typed = st.text_input("The first day of the week", key="typed-week")
    if st.button("Close the week", type="primary", disabled=typed.strip() != week):
        answer = call_api("POST", f"/pay/periods/{week}/close", json={})
        if answer.problem:
            say("error", answer.problem)
            return
        st.rerun()
