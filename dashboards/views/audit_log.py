"""The page of the audit log: entries by day and action, and the check that none was altered."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import show_head, show_panel, show_section, show_table
from dashboards.problems import dialog, say
from dashboards.shown import format_instant
from dashboards.signed_in import call_api, find_zone, load

PAGE_ENTRIES = 100
COLUMNS = [
    {"key": "what", "label": "Action"},
    {"key": "who", "label": "Who"},
    {"key": "when", "label": "When"},
    {"key": "about", "label": "About"},
    {"key": "record", "label": "Record"},
]


def build_rows(entries: list[dict[str, Any]], zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "id": str(entry["seq"]),
            "what": entry["action"],
            "below": f"entry {entry['seq']}",
            "who": (entry["person"] or {}).get("name") or "the system",
            "when": format_instant(entry["at"], zone),
            "about": entry["subject_kind"] or "–",
            "record": entry["subject_id"] or "",
        }
        for entry in entries
    ]


def show_audit_log() -> None:
    """Draw the page."""
    zone = find_zone()
    today = datetime.now(zone).date()
    show_head("Audit log", "Who did what and when. Entries can be added, never changed.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.date_input("From", value=today - timedelta(days=6), key="audit-from", format="YYYY-MM-DD")
        last = st.date_input("To", value=today, key="audit-to", format="YYYY-MM-DD")
        action = st.text_input("Action", key="audit-action", placeholder="client.read", max_chars=40)
        record = st.text_input(
            "Record", key="audit-record", placeholder="id of a client or another record", max_chars=40
        )
        if st.button("Verify the log", icon=":material/verified:"):
            verify_log()
    query = {"from": str(first), "to": str(last), "action": action.strip(), "subject_id": record.strip()}
    chosen = {name: value for name, value in query.items() if value}
    if st.session_state.get("audit-chosen") != chosen:
        st.session_state["audit-chosen"], st.session_state["audit-pages"] = chosen, [None]
    pages = st.session_state["audit-pages"]
    found = load("/audit", chosen | {"limit": PAGE_ENTRIES} | ({"cursor": pages[-1]} if pages[-1] else {}))
    more = "Newest first; choose one to see what else happened to its record"
    with show_panel("entries", "Entries", more):
        rows = build_rows(found["items"], zone)
        opened = show_table("entries", "Audit entries", COLUMNS, rows, "No entries.")
        with st.container(horizontal=True):
            if len(pages) > 1:
                st.button("Newer", icon=":material/chevron_left:", key="audit-newer", on_click=pages.pop)
            if found["next_cursor"]:
                st.button("Older", key="audit-older", on_click=pages.append, args=[found["next_cursor"]])
    entry = next((entry for entry in found["items"] if str(entry["seq"]) == opened), None)
    if entry:
        show_entry(entry, zone)


@dialog("Entry", width="large")
def show_entry(entry: dict[str, Any], zone: ZoneInfo) -> None:
    """Show an entry with its details, and the way to everything about its record."""
    (row,) = build_rows([entry], zone)
    show_section(row["what"], f"{row['who']}, {row['when']}")
    for name, value in entry["details"].items():
        st.text(f"{name.replace('_', ' ')}: {value}")
    if entry["subject_id"]:
        st.button("Everything about this record", on_click=choose_record, args=[entry["subject_id"]])


def choose_record(record_id: str) -> None:
    st.session_state["audit-record"] = record_id


def verify_log() -> None:
    """Verify the log and say what was found."""
    answer = call_api("POST", "/audit/verify", json={})
    if answer.problem:
        say("error", answer.problem)
    elif answer.document["intact"]:
        say("success", f"All {answer.document['entries']:,} entries are as they were written.")
    else:
        say("error", " ".join(answer.document["problems"]))
