"""The page of compliance: each check with its states, the people concerned, reminders, and mending in place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import (
    show_brief,
    show_figures,
    show_head,
    show_needs,
    show_panel,
    show_section,
    show_table,
)
from dashboards.problems import dialog, say
from dashboards.shown import format_clock, format_date
from dashboards.signed_in import call_api, find_zone
from dashboards.views.checks import load_checked, show_file_links
from dashboards.views.mending import show_mending
from dashboards.views.overview import describe_age
from dashboards.views.rows_behind import show_rows_behind
from dashboards.visits import is_hiding_names, shorten_name

PATH = "/dashboards/compliance"
FILTERS = ("check", "state", "clinician_id")
STATES = {
    "late": ("Late", "red"),
    "due": ("Due", "orange"),
    "unknown": ("To find out", "blue"),
    "fine": ("Fine", "green"),
    "not_applicable": ("Does not apply", "gray"),
}
ACTS = {"front_desk": "Front desk", "admins": "Admins", "supervisor": "Supervisor of "}
ALL = "all"
CHECK_COLUMNS = [
    {"key": "name", "label": "Check"},
    {"key": "late", "label": "Late", "kind": "badge"},
    {"key": "due", "label": "Due", "right": True},
    {"key": "unknown", "label": "To find out", "right": True},
    {"key": "fine", "label": "Fine", "right": True},
    {"key": "not_applicable", "label": "Does not apply", "right": True},
    {"key": "share", "label": "Fine of those it applies to", "kind": "bar"},
    {"key": "trend", "label": "Twelve months", "kind": "spark"},
]
ROW_COLUMNS = [
    {"key": "name", "label": "Person"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "since", "label": "Since"},
    {"key": "acts", "label": "Has to act"},
    {"key": "reminded", "label": "Reminded"},
]


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    cards: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    found: dict[str, dict[str, Any]]
    labels: dict[str, str]
    people: dict[str, str]


def build_model(page: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    checks = {check["key"]: check for check in page["checks"]}
    return Model(
        about=f"Checked today, {format_date(page['today'])} · metrics: {describe_age(page['refresh'])}",
        cards=build_cards(page["total"]),
        checks=[build_check(check) for check in page["checks"]],
        rows=[build_row(row, checks[row["check"]], zone, hide_names=hide_names) for row in page["items"]],
        found={name_row(row): row for row in page["items"]},
        labels={key: check["label"] for key, check in checks.items()},
        people={one["clinician_id"]: one["clinician_name"] for one in page["clinicians"]},
    )


def name_row(row: dict[str, Any]) -> str:
    return f"{row['check']}:{row['id']}"


def build_cards(total: dict[str, Any]) -> list[dict[str, Any]]:
    share = total["share"]
    trend = [None if value is None else float(value) for value in total["trend"]]
    fine = {
        "key": "fine",
        "label": "Fine of those that apply",
        "value": "–" if share is None else f"{float(share):g} %",
        "target": f"{total['fine']:,} of {total['applicable']:,} checks",
        "series": trend if sum(value is not None for value in trend) > 1 else None,
        "opens": True,
        "badge": {"word": "All fine", "colour": "green"} if total["fine"] == total["applicable"] else None,
    }
    return [
        *(
            {
                "key": state,
                "label": STATES[state][0],
                "value": f"{total[state]:,}",
                "opens": True,
                "badge": build_badge(state) if total[state] else {"word": "None", "colour": "green"},
            }
            for state in ("late", "due", "unknown")
        ),
        fine,
    ]


def build_badge(state: str) -> dict[str, str]:
    word, color = STATES[state]
    return {"word": word, "colour": color}


def build_check(check: dict[str, Any]) -> dict[str, Any]:
    late, share = check["late"], check["share"]
    trend = [None if value is None else float(value) for value in check["trend"]]
    color = "red" if late else "orange" if check["due"] or check["unknown"] else "teal"
    metric = check["metric"]
    return {
        "id": check["key"],
        "name": check["label"],
        "below": f"{metric['label']}: {metric['shown']}" if metric else "",
        "late": {"word": f"{late:,} late", "colour": "red"} if late else {"word": "None", "colour": "gray"},
        **{state: f"{check[state]:,}" for state in ("due", "unknown", "fine", "not_applicable")},
        "share": {
            "share": float(share or 0),
            "text": "–" if share is None else f"{float(share):g} %",
            "colour": color,
        },
        "trend": trend if sum(value is not None for value in trend) > 1 else None,
    }


def build_row(row: dict[str, Any], check: dict[str, Any], zone: ZoneInfo, *, hide_names: bool) -> dict[str, Any]:
    word, color = STATES[row["state"]]
    days = row["days"]
    reminded = row["reminded_at"]
    return {
        "id": name_row(row),
        "name": name_subject(row, hide_names=hide_names),
        "below": check["label"],
        "state": {"word": "Last day" if row["is_last_day"] else word, "colour": color},
        "since": f"{format_date(row['since_on'])} · {days} day{'' if days == 1 else 's'}",
        "acts": describe_acting(row, check),
        "reminded": format_clock(datetime.fromisoformat(reminded).astimezone(zone)) if reminded else "–",
    }


def name_subject(row: dict[str, Any], *, hide_names: bool) -> str:
    """Return whom a row is about. Names of clients can be hidden, those of staff are not."""
    if row["client_id"]:
        return shorten_name(row["client_name"], hide_names=hide_names)
    return row["staff_name"] or "The practice"


def describe_acting(row: dict[str, Any], check: dict[str, Any]) -> str:
    if check["acts"] == "supervisor":
        return f"{ACTS['supervisor']}{row['clinician_name']}"
    return ACTS.get(check["acts"]) or row["clinician_name"] or "Admins"


def read_filters(address: Mapping[str, str]) -> dict[str, str]:
    """Return what the address filters by, without what cannot be meant."""
    chosen = {name: address[name] for name in FILTERS if address.get(name)}
    if chosen.get("state", "late") not in STATES:
        del chosen["state"]
    try:
        UUID(chosen.get("clinician_id", "0" * 32))
    except ValueError:
        del chosen["clinician_id"]
    return chosen


def show_compliance() -> None:
    """Draw the page."""
    chosen = read_filters(st.query_params.to_dict())
    page, zone = load_checked(PATH, chosen), find_zone()
    hide_names = is_hiding_names()
    model = build_model(page, zone, hide_names=hide_names)
    show_head("Compliance", model.about, has_names=True)
    show_brief(page["brief"])
    opened = show_figures("states", model.cards)
    with show_panel("needs", "Needs you", "The most pressing first"):
        pressed = show_needs("needs", page["needs"])
        if pressed and "dashboards.remind" in page["may"]:
            send_reminder({"check": pressed})
    with show_panel("checks", "Checks", "Choose one to see whom it is about"):
        check = show_table("checks", "Compliance checks", CHECK_COLUMNS, model.checks, "No checks.")
    check = check or (pressed if "dashboards.remind" not in page["may"] else None)
    for name, value in (("state", opened), ("check", check)):
        if value:
            st.query_params[name] = value
            st.rerun()
    with show_panel("people", "People", "Who, which check and since when; choose a row to remind or to mend"):
        show_filters(model, chosen)
        metric = next((check["metric"] for check in page["checks"] if check["key"] == chosen.get("check")), None)
        if metric and st.button(f"{metric['label']}: {metric['shown']}", key="metric", help="The rows of the metric"):
            show_rows_behind(metric)
        caption = f"{page['count']:,} row{'' if page['count'] == 1 else 's'}"
        if page["next_offset"] is not None:
            caption += f", the first {len(page['items'])} of them"
        say("caption", f"{caption}.")
        empty = "None: nothing is late, due or to find out." if "state" not in chosen else "None in this state."
        row = show_table("people", "People and checks", ROW_COLUMNS, model.rows, empty)
        show_file_links("compliance", chosen)
    if row in model.found:
        found = model.found[row]
        details = next(check for check in page["checks"] if check["key"] == found["check"])
        show_row(found, details, may_remind="dashboards.remind" in page["may"], hide_names=hide_names)


def show_filters(model: Model, chosen: dict[str, str]) -> None:
    """Show the choices of check, state and clinician, which are kept in the address."""
    words = {
        "check": ("Check", model.labels, "All checks"),
        "state": ("State", {state: word for state, (word, _) in STATES.items()}, "Late, due and to find out"),
        "clinician_id": ("Clinician", model.people, "All clinicians"),
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, (label, options, everything) in words.items():
            known = [ALL, *options]
            current = chosen.get(name, ALL)
            st.session_state[f"filter-{name}"] = current if current in known else ALL
            st.selectbox(
                label,
                known,
                format_func=lambda key, options=options, everything=everything: options.get(key, everything),
                key=f"filter-{name}",
                on_change=change_filter,
                args=(name,),
            )


def change_filter(name: str) -> None:
    value = st.session_state[f"filter-{name}"]
    if value == ALL:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value


def send_reminder(body: dict[str, str]) -> bool:
    """Send reminders, say to whom, and return whether they are on their way."""
    answer = call_api("POST", f"{PATH}/reminders", json=body)
    if answer.problem:
        say("error", answer.problem)
        return False
    sent = answer.document
    names = ", ".join(name for name in sent["staff_names"] if name)
    if sent["planned"]:
        number = f"{sent['planned']} message{'' if sent['planned'] == 1 else 's'}"
        say("success", f"{number} on the way to {names}.")
    else:
        say("info", f"{names} had a message about it today already. The next one can be sent tomorrow.")
    return bool(sent["planned"])


@dialog("Check")
def show_row(row: dict[str, Any], check: dict[str, Any], *, may_remind: bool, hide_names: bool) -> None:
    """Show a row with the reminder, and the form that mends it."""
    word, _ = STATES[row["state"]]
    show_section(name_subject(row, hide_names=hide_names), f"{check['label']} · {word.lower()}")
    st.markdown(f"Since {format_date(row['since_on'])}. {check['to_do']}")
    say("caption", f"Has to act: {describe_acting(row, check)}.")
    if row["mending"]:
        show_mending(row)
    if may_remind and row["state"] in ("late", "due", "unknown"):
        if row["reminded_at"]:
            st.info("A reminder was sent today. The next one can be sent tomorrow.")
        elif st.button("Remind", key="remind", icon=":material/notifications_active:"):
            send_reminder({"check": row["check"], "subject_id": row["id"]})
