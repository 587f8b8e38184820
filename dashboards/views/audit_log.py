"""The page of the audit log: entries by day and action, and the check that none was altered."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import show_head, show_panel, show_table
from dashboards.problems import say
from dashboards.shown import format_instant
from dashboards.signed_in import call_api, find_zone, load

PAGE_ENTRIES = 100
COLUMNS = [
    {"key": "what", "label": "Action"},
    {"key": "who", "label": "Who"},
    {"key": "when", "label": "When"},
    {"key": "about", "label": "About"},
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
        if st.button("Verify the log", icon=":material/verified:"):
            verify_log()
    query = {"from": str(first), "to": str(last), "limit": PAGE_ENTRIES} | ({"action": action} if action else {})
    found = load("/audit", query)
    entries = found["items"]
    more = f"The newest {PAGE_ENTRIES}; choose fewer days to see others" if found["next_cursor"] else ""
    with show_panel("entries", "Entries", more):
        show_table("entries", "Audit entries", COLUMNS, build_rows(entries, zone), "No entries.", opens=False)


def verify_log() -> None:
    """Verify the log and say what was found."""
    answer = call_api("POST", "/audit/verify", json={})
    if answer.problem:
        say("error", answer.problem)
    elif answer.document["intact"]:
        say("success", f"All {answer.document['entries']:,} entries are as they were written.")
    else:
        say("error", " ".join(answer.document["problems"]))
