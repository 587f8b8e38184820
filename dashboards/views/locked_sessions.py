"""Sessions that are locked without a signed note: the list, and unlocking one for some hours."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import show_panel, show_section, show_table
from dashboards.problems import dialog
from dashboards.shown import format_amount, format_instant
from dashboards.signed_in import call_api
from dashboards.views.actions import finish
from dashboards.visits import is_hiding_names, shorten_name

LOCKED_COLUMNS = [
    {"key": "who", "label": "Session"},
    {"key": "note", "label": "Note", "kind": "badge"},
    {"key": "amount", "label": "Pays", "right": True},
]


def build_locked(session: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> dict[str, Any]:
    word = ("Draft", "blue") if session["note_id"] else ("None yet", "gray")
    return {
        "id": session["appointment_id"],
        "who": f"{session['clinician_name']} · {shorten_name(session['client_name'], hide_names=hide_names)}",
        "below": f"{format_instant(session['starts_at'], zone)}, due {format_instant(session['deadline'], zone)}",
        "note": {"word": word[0], "colour": word[1]},
        "amount": "–" if session["amount"] is None else format_amount(session["amount"]),
    }


def show_locked(sessions: list[dict[str, Any]], zone: ZoneInfo) -> dict[str, Any] | None:
    """Show the locked sessions, and return the one that was just chosen."""
    hide_names = is_hiding_names()
    rows = [build_locked(session, zone, hide_names=hide_names) for session in sessions]
    with show_panel("locked", "Locked sessions", "Choose one to unlock it for some hours"):
        chosen = show_table("locked", "Locked sessions", LOCKED_COLUMNS, rows, "No session is locked.")
    return next((session for session in sessions if session["appointment_id"] == chosen), None)


@dialog("Unlock a session")
def show_unlocking(session: dict[str, Any]) -> None:
    """Unlock a session for some hours, with the reason for the audit log."""
    name = shorten_name(session["client_name"], hide_names=is_hiding_names())
    show_section(f"{session['clinician_name']} · {name}", "Its note can be written and signed for some hours.")
    with st.form("unlock", border=False):
        hours = st.number_input("Hours", 1, 336, value=None, step=1, placeholder="As the practice's settings say")
        reason = st.text_input("Why, for the audit log", max_chars=200)
        if st.form_submit_button("Unlock", type="primary", icon=":material/lock_open:"):
            body = {"reason": reason} | ({} if hours is None else {"hours": int(hours)})
            finish(
                call_api(
                    "POST", f"/compliance/session-completion/{session['appointment_id']}/supervisor-override", json=body
                )
            )
