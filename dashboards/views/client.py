"""The page of one client for those who treat them: visits, notes, consents, plans, reports, and what is due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import (
    show_brief,
    show_head,
    show_needs,
    show_panel,
    show_section,
    show_table,
)
from dashboards.navigation import has_page, open_page
from dashboards.problems import dialog, say
from dashboards.shown import format_date, format_instant
from dashboards.signed_in import find_zone, load
from dashboards.visits import NOTE_STATES, NOTE_TYPES, STATES, is_hiding_names, shorten_name

VISIT_COLUMNS = [
    {"key": "when", "label": "Visit"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "who", "label": "Clinician"},
]
NOTE_COLUMNS = [
    {"key": "what", "label": "Note"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "who", "label": "Author"},
]
REPORT_COLUMNS = [
    {"key": "day", "label": "Report"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "who", "label": "Author"},
]
CONSENT_COLUMNS = [
    {"key": "kind", "label": "Consent"},
    {"key": "signed", "label": "Signed"},
    {"key": "state", "label": "State", "kind": "badge"},
]
FACT_COLUMNS = [{"key": "name", "label": "What"}, {"key": "value", "label": "How it stands"}]
EVENT_COLUMNS = [{"key": "what", "label": "What"}, {"key": "when", "label": "When", "right": True}]
CLIENT_STATES = {"ACTIVE": "Active", "INACTIVE": "Inactive", "DISCHARGED": "Discharged"}
PLAN_WORDS = {
    "ok": "reviewed in time",
    "due": "to be reviewed soon",
    "alert": "to be reviewed today",
    "out_of_compliance": "review overdue",
    "missing": "there is none",
    "not_applicable": "not needed now",
}
SAFETY_WORDS = {"ok": "current", "missing": "missing", "expired": "expired", "not_applicable": "not needed"}
CHART_HIDDEN = "Not shown here: you read notes, plans and reports for a stated reason only."
MAX_EVENTS = 100


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    title: str
    about: str
    visits: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    consents: list[dict[str, Any]]
    facts: list[dict[str, Any]]


def build_model(page: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    client, chart = page["client"], page["chart"] or {"notes": [], "reports": []}
    state = CLIENT_STATES.get(client["status"], client["status"])
    primary = f" · with {client['primary_clinician_name']}" if client["primary_clinician_name"] else ""
    return Model(
        title=shorten_name(f"{client['first_name']} {client['last_name']}", hide_names=hide_names),
        about=f"{state} · in treatment since {format_date(client['admitted_on'])}{primary}",
        visits=[build_visit(visit, zone) for visit in [*reversed(page["next_visits"]), *page["last_visits"]]],
        notes=[build_note(note, zone) for note in chart["notes"]],
        reports=[build_report(report) for report in chart["reports"]],
        consents=[build_consent(consent, zone) for consent in page["consents"]],
        facts=build_facts(page, hide_names=hide_names),
    )


def build_visit(visit: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    word, color = STATES.get(visit["status"], (visit["status"].title(), "gray"))
    return {
        "id": visit["id"],
        "when": format_instant(visit["starts_at"], zone),
        "below": f"{visit['service_name'] or visit['service_code']} · {visit['reference']}",
        "state": {"word": word, "colour": color},
        "who": visit["clinician_name"] or "–",
    }


def build_note(note: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    word, color = NOTE_STATES[note["status"]]
    return {
        "id": note["id"],
        "what": NOTE_TYPES[note["type"]],
        "below": format_instant(note["created_at"], zone),
        "state": {"word": word, "colour": color},
        "who": note["clinician_name"] or "–",
    }


def build_report(report: dict[str, Any]) -> dict[str, Any]:
    word, color = ("Final", "green") if report["status"] == "FINAL" else ("Draft", "blue")
    return {
        "id": report["id"],
        "day": format_date(report["reported_on"]),
        "state": {"word": word, "colour": color},
        "who": report["clinician_name"] or "–",
    }


def build_consent(consent: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    word, color = ("Revoked", "red") if consent["revoked_at"] else ("Signed", "green")
    ends = f", until {format_date(consent['expires_on'])}" if consent["expires_on"] else ""
    return {
        "id": consent["id"],
        "kind": consent["kind"].replace("_", " ").capitalize(),
        "signed": f"{format_date(find_day(consent['signed_at'], zone))}{ends}",
        "state": {"word": word, "colour": color},
    }


def find_day(instant: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(instant).astimezone(zone).date().isoformat()


def build_facts(page: dict[str, Any], *, hide_names: bool) -> list[dict[str, Any]]:
    """Return risk, plans and contact as rows of a name and a value."""
    client, chart = page["client"], page["chart"]
    since, until = client["high_risk_since"], client["high_risk_until"]
    risk = f"High since {format_date(since)}" if since else "No high risk recorded"
    facts = [("Risk", f"{risk}, until {format_date(until)}" if since and until else risk)]
    if chart and chart["plan"]:
        by = chart["plan"]["review_by"]
        facts.append(("Treatment plan", PLAN_WORDS[chart["plan"]["state"]] + (f", by {format_date(by)}" if by else "")))
    if chart and chart["safety_plan"]:
        facts.append(("Safety plan", SAFETY_WORDS[chart["safety_plan"]["state"]]))
    if client["medical_notes"]:
        facts.append(("Medical notes", client["medical_notes"]))
    if not hide_names:
        facts += [("Phone", client["phone"] or "–"), ("Email", client["email"] or "–")]
        emergency = " ".join(filter(None, (client["emergency_contact_name"], client["emergency_contact_phone"])))
        facts += [("In an emergency", emergency or "–")]
        facts += [("Guardian", client["guardian_name"] or "–")] if client["minor"] else []
    return [{"id": name, "name": name, "value": value} for name, value in facts]


def show_client() -> None:
    """Draw the page."""
    client_id = st.query_params.get("id")
    if not client_id:
        show_head("Client", "No client is chosen.")
        st.info("Open a client from a visit, or from a list of clients.")
        return
    page, zone = load("/dashboards/client", {"client_id": client_id}), find_zone()
    hide_names = is_hiding_names()
    model = build_model(page, zone, hide_names=hide_names)
    show_head(model.title, model.about, has_names=True)
    show_brief(page["brief"])
    left, right = st.columns([7, 6], gap="small")
    with left:
        with show_panel("visits", "Visits", "The latest on top; choose one to open its note"):
            visit = show_table("visits", "Visits", VISIT_COLUMNS, model.visits, "No visits.", opens=has_page("note"))
        with show_panel("notes", "Notes", "Choose one to read or write it"):
            empty = "No notes." if page["chart"] else CHART_HIDDEN
            note = show_table("notes", "Notes", NOTE_COLUMNS, model.notes, empty, opens=has_page("note"))
        with show_panel("reports", "Progress reports", "Choose one to read it"):
            empty = "No reports." if page["chart"] else CHART_HIDDEN
            report = show_table("reports", "Progress reports", REPORT_COLUMNS, model.reports, empty)
    with right:
        with show_panel("needs", "Needs you", "The most pressing first"):
            show_needs("needs", page["needs"], hide_names=hide_names)
        with show_panel("facts", "Care and contact"):
            show_table("facts", "Care and contact", FACT_COLUMNS, model.facts, "Nothing.", opens=False)
        with show_panel("consents", "Consents"):
            for problem in page["consents_due"]:
                say("warning", problem)
            show_table("consents", "Consents", CONSENT_COLUMNS, model.consents, "No consents.", opens=False)
        if st.button("Show everything that happened", key="history", icon=":material/history:"):
            show_history(client_id, zone)
    if visit:
        open_page("note", session=visit)
    elif note:
        open_page("note", note=note)
    elif report:
        show_report(report)


@dialog("Progress report", width="large")
def show_report(report_id: str) -> None:
    """Show the text of a progress report."""
    report = load(f"/progress-reports/{report_id}")
    show_section(format_date(report["reported_on"]), f"by {report['clinician_name']}")
    for section in report["sections"]:
        show_section(section["title"])
        st.text(section["text"] or "–")


@dialog("Everything that happened", width="large")
def show_history(client_id: str, zone: ZoneInfo) -> None:
    """Show the latest events of the client's chart until today, and say so if there were more."""
    until = datetime.now(zone).date().isoformat()
    page = load(f"/clients/{client_id}/timeline", {"limit": MAX_EVENTS, "to": until})
    events = page["items"]
    if page["next_cursor"]:
        say("caption", f"The latest {MAX_EVENTS} until today. Earlier ones are not shown.")
    rows = [
        {"id": f"{number}", "what": event["summary"], "when": format_instant(event["at"], zone)}
        for number, event in enumerate(events)
    ]
    show_table("events", "Everything that happened", EVENT_COLUMNS, rows, "Nothing yet.", opens=False)
