"""The page of data quality: what is wrong in the records, how much and since when, and the records to mend."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboards.components import show_brief, show_figures, show_head, show_needs, show_panel, show_section, show_table
from dashboards.problems import dialog, say
from dashboards.shown import format_date
from dashboards.views.checks import load_checked, show_file_links
from dashboards.views.mending import show_mending
from dashboards.visits import is_hiding_names, shorten_name

PATH = "/dashboards/data-quality"
KINDS = {
    "visit": "Visit",
    "charge": "Charge",
    "note": "Note",
    "service": "Service",
    "staff": "Clinician",
    "client": "Client",
    "practice": "Practice",
}
CHECK_COLUMNS = [
    {"key": "name", "label": "What is wrong"},
    {"key": "count", "label": "Records", "kind": "badge"},
    {"key": "since", "label": "Oldest"},
]
ROW_COLUMNS = [
    {"key": "name", "label": "Record"},
    {"key": "kind", "label": "Kind"},
    {"key": "who", "label": "Clinician"},
    {"key": "since", "label": "Since"},
]


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    cards: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    found: dict[str, dict[str, Any]]
    details: dict[str, dict[str, Any]]


def build_model(page: dict[str, Any], *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API: what is wrong first, the most of it on top."""
    details = {check["key"]: check for check in page["checks"]}
    wrong = sorted((check for check in page["checks"] if check["count"]), key=lambda check: -check["count"])
    fine = [check for check in page["checks"] if not check["count"]]
    return Model(
        about=f"The records as they are now, {format_date(page['today'])}",
        cards=[build_card(check) for check in wrong[:4]],
        checks=[build_check(check) for check in [*wrong, *fine]],
        rows=[build_row(row, details[row["check"]], hide_names=hide_names) for row in page["items"]],
        found={name_row(row): row for row in page["items"]},
        details=details,
    )


def name_row(row: dict[str, Any]) -> str:
    return f"{row['check']}:{row['id']}"


def build_card(check: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": check["key"],
        "label": check["label"],
        "value": f"{check['count']:,}",
        "target": f"since {format_date(check['since_on'])}" if check["since_on"] else "",
        "help": check["effect"],
        "opens": True,
        "badge": {"word": "To mend", "colour": "orange"},
    }


def build_check(check: dict[str, Any]) -> dict[str, Any]:
    count = check["count"]
    return {
        "id": check["key"],
        "name": check["label"],
        "below": check["effect"],
        "count": {"word": f"{count:,} to mend", "colour": "orange"} if count else {"word": "None", "colour": "green"},
        "since": format_date(check["since_on"]) if check["since_on"] else "–",
    }


def build_row(row: dict[str, Any], check: dict[str, Any], *, hide_names: bool) -> dict[str, Any]:
    return {
        "id": name_row(row),
        "name": name_record(row, hide_names=hide_names),
        "below": check["label"],
        "kind": KINDS[row["record_kind"]],
        "who": row["staff_name"] or "–",
        "since": format_date(row["since_on"]),
    }


def name_record(row: dict[str, Any], *, hide_names: bool) -> str:
    """Return the client, or else the staff member, with the reference, code or name of the record."""
    who = shorten_name(row["client_name"], hide_names=hide_names) if row["client_id"] else None
    if who is None and row["record_kind"] == "staff":
        who = row["staff_name"]
    return " · ".join(part for part in (who, row["label"]) if part) or "–"


def show_data_quality() -> None:
    """Draw the page."""
    chosen = {"check": st.query_params["check"]} if st.query_params.get("check") else {}
    page = load_checked(PATH, chosen)
    hide_names = is_hiding_names()
    model = build_model(page, hide_names=hide_names)
    show_head("Data quality", model.about, has_names=True)
    show_brief(page["brief"])
    opened = show_figures("worst", model.cards)
    with show_panel("needs", "Needs you", "The most pressing first"):
        pressed = show_needs("needs", page["needs"])
    with show_panel("checks", "Checks", "Choose one to see its records"):
        check = show_table("checks", "Checks of data quality", CHECK_COLUMNS, model.checks, "No checks.")
    if target := opened or pressed or check:
        st.query_params["check"] = target
        st.rerun()
    label = model.details[chosen["check"]]["label"] if chosen else "Records"
    with show_panel("records", label, "Choose one to see what to do"):
        if chosen:
            show_section("", model.details[chosen["check"]]["to_do"])
            st.button("Show all checks", icon=":material/close:", on_click=show_all)
        more = f", the first {len(page['items'])} of them" if page["next_offset"] is not None else ""
        say("caption", f"{page['count']:,} record{'' if page['count'] == 1 else 's'}{more}.")
        row = show_table("records", label, ROW_COLUMNS, model.rows, "Nothing is wrong here.")
        show_file_links("data-quality", chosen)
    if row in model.found:
        show_record(model.found[row], model.details[model.found[row]["check"]], hide_names=hide_names)


def show_all() -> None:
    st.query_params.pop("check", None)


@dialog("What is wrong")
def show_record(row: dict[str, Any], check: dict[str, Any], *, hide_names: bool) -> None:
    """Show a record, what it makes wrong, and the form that mends it."""
    show_section(name_record(row, hide_names=hide_names), f"{check['label']} · since {format_date(row['since_on'])}")
    st.markdown(f"{check['effect']} **{check['to_do']}**")
    if row["mending"]:
        show_mending(row)
