"""The page of rule settings: values in force, their history, and changes from a date on."""

from datetime import date, datetime
from typing import Any

import streamlit as st

from dashboards.components import show_head, show_panel, show_section, show_table
from dashboards.problems import dialog, say
from dashboards.shown import format_date, format_instant
from dashboards.signed_in import call_api, find_account, find_zone, load

COLUMNS = [
    {"key": "name", "label": "Setting"},
    {"key": "value", "label": "Value", "right": True},
    {"key": "since", "label": "Since"},
]
HISTORY_COLUMNS = [
    {"key": "since", "label": "From"},
    {"key": "value", "label": "Value", "right": True},
    {"key": "who", "label": "Set by"},
    {"key": "when", "label": "On"},
]


def build_rows(settings: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """Return the settings that contain every word that was searched for."""
    wanted = words.casefold().split()
    return [
        {
            "id": setting["key"],
            "name": setting["meaning"],
            "below": setting["key"],
            "value": str(setting["value"]),
            "since": format_date(setting["effective_on"]) if setting["effective_on"] else "default",
        }
        for setting in settings
        if all(word in f"{setting['key'].replace('_', ' ')} {setting['meaning']}".casefold() for word in wanted)
    ]


def show_settings() -> None:
    """Draw the page."""
    settings = {setting["key"]: setting for setting in load("/settings")["items"]}
    show_head("Settings", "Rules of the practice, each in force from a date on. Past figures keep theirs.")
    words = st.text_input("Search", key="setting-words", placeholder="note, supervision, benchmark ...")
    with show_panel("settings", "All settings", "Choose one to see its history, or to change it"):
        rows = build_rows(list(settings.values()), words)
        chosen = show_table("settings", "Settings", COLUMNS, rows, "No setting has these words.")
    if chosen:
        show_setting(settings[chosen])


@dialog("Setting", width="large")
def show_setting(setting: dict[str, Any]) -> None:
    """Show a setting with its history and, to admins, the form of a change."""
    key, zone = setting["key"], find_zone()
    show_section(setting["meaning"], f"{key}, now {setting['value']}")
    history = [
        {
            "id": change["id"],
            "since": format_date(change["effective_on"]),
            "value": str(change["value"]),
            "who": (change["set_by_person"] or {}).get("name") or "–",
            "when": format_instant(change["set_at"], zone),
        }
        for change in load(f"/settings/{key}")["items"]
    ]
    show_table("history", "Changes", HISTORY_COLUMNS, history, "Never changed: the default applies.", opens=False)
    if "admin" in find_account().roles:
        show_change_form(key, int(setting["value"]), datetime.now(zone).date())


def show_change_form(key: str, value: int, today: date) -> None:
    with st.form("change", border=False):
        new_value = st.number_input("New value", value=value, step=1)
        since = st.date_input("From", value=today, min_value=today, format="YYYY-MM-DD")
        if st.form_submit_button("Change", type="primary"):
            body = {"value": int(new_value), "effective_on": str(since)}
            answer = call_api("POST", f"/settings/{key}", json=body)
            if answer.problem:
                say("error", answer.problem)
                return
            st.rerun()
