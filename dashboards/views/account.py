"""The page of one's own account: open sessions, and the ways to end them."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import show_head, show_panel, show_table
from dashboards.shown import format_instant
from dashboards.signed_in import call_api, find_account, load

COLUMNS = [
    {"key": "started", "label": "Signed in"},
    {"key": "seen", "label": "Last used"},
    {"key": "state", "label": "", "kind": "badge"},
]


def build_rows(sessions: list[dict[str, Any]], zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "id": session["id"],
            "started": format_instant(session["started_at"], zone),
            "seen": format_instant(session["last_seen_at"], zone),
            "state": {"word": "This one", "colour": "green"} if session["current"] else {"word": "", "colour": "gray"},
        }
        for session in sessions
    ]


def show_account() -> None:
    """Draw the page."""
    account = find_account()
    show_head("My account", f"{account.name} · {account.practice_name}")
    sessions = load("/auth/sessions")["items"]
    with show_panel("sessions", "Open sessions", "In all browsers and practices"):
        show_table(
            "sessions", "Open sessions", COLUMNS, build_rows(sessions, ZoneInfo(account.time_zone)), "", opens=False
        )
        others = [found["id"] for found in sessions if not found["current"]]
        if others and st.button(f"Sign out everywhere else ({len(others)})", icon=":material/logout:"):
            for session_id in others:
                call_api("DELETE", f"/auth/sessions/{session_id}")
            st.rerun()
