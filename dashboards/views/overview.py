"""The page of the practice: scorecard, clinicians side by side, compliance, revenue cycle; a team has the same."""

from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from dashboards.components import (
    COLORS,
    choose_period,
    show_brief,
    show_figures,
    show_head,
    show_needs,
    show_panel,
    show_records,
    show_table,
    to_card,
)
from dashboards.shown import format_amount
from dashboards.signed_in import find_zone, load
from dashboards.views.goals import show_goals
from dashboards.views.locked_sessions import show_locked, show_unlocking
from dashboards.views.rows_behind import show_rows_behind

PERFORMANCE_WORDS = {
    "excellent": ("Excellent", "green"),
    "good": ("Good", "blue"),
    "needs_coaching": ("Needs coaching", "orange"),
    "performance_plan": ("Performance plan", "red"),
    None: ("No data yet", "gray"),
}
STATUS_WORDS = {"on_track": ("On track", "green"), "review": ("Review", "orange"), "urgent": ("Urgent", "red")}
BAR_COLORS = {"green": "teal", "orange": "orange", "red": "red", "gray": "teal"}
COLUMNS = [
    {"key": "name", "label": "Clinician"},
    {"key": "standing", "label": "Standing", "kind": "badge"},
    {"key": "kept", "label": "Kept visits", "kind": "bar", "help": "Completed of ended visits; the mark is the target"},
    {"key": "trend", "label": "Twelve periods", "kind": "spark"},
    {"key": "a_day", "label": "A day", "right": True},
    {"key": "same_day", "label": "Signed same day", "right": True},
    {"key": "unsigned", "label": "Unsigned", "right": True},
    {"key": "compliance", "label": "Compliance", "right": True},
]

FULL_ENOUGH, HALF_EMPTY = 80, 50  # percent of an hour
WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
FILL_COLUMNS = [
    {"key": "hour", "label": "Hour"},
    *({"key": str(number), "label": name, "kind": "badge"} for number, name in enumerate(WEEKDAYS)),
]


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    cards: list[dict[str, Any]]
    clinicians: list[dict[str, Any]]
    details: dict[str, dict[str, Any]]
    compliance: list[dict[str, Any]]
    revenue_cycle: list[dict[str, Any]]
    figures: dict[str, dict[str, Any]]


def build_model(page: dict[str, Any]) -> Model:
    """Return what the page shows of an answer of the API."""
    period = page["period"]
    since = f"since the {period['kind']} before"
    every = [*page["figures"], *page["compliance"], *page["revenue_cycle"]]
    return Model(
        about=f"{period['name']} · {describe_age(page['refresh'])}",
        cards=[to_card(figure, since) for figure in page["figures"]],
        clinicians=[build_row(clinician) for clinician in page["clinicians"]],
        details={clinician["clinician_id"]: clinician for clinician in page["clinicians"]},
        compliance=[build_check(figure) for figure in page["compliance"]],
        revenue_cycle=[build_tile(figure) for figure in page["revenue_cycle"]],
        figures={figure["key"]: figure for figure in every},
    )


def describe_age(refresh: dict[str, Any] | None) -> str:
    """Return when the figures were made."""
    if refresh is None:
        return "the figures have not been computed yet"
    minutes = refresh["age_seconds"] // 60
    if minutes < 1:
        return "figures of this minute"
    if minutes < 120:
        return f"figures of {minutes} minute{'' if minutes == 1 else 's'} ago"
    return f"figures of {minutes // 60} hours ago"


def build_row(clinician: dict[str, Any]) -> dict[str, Any]:
    figures = {figure["key"]: figure for figure in clinician["figures"]}
    kept = figures["kept_visit_rate"]
    word, color = STATUS_WORDS[clinician["team_status"]]
    if clinician["performance"] is not None:
        word, color = PERFORMANCE_WORDS[clinician["performance"]]
    share = float(kept["value"] or 0)
    trend = [None if value is None else float(value) for value in kept["trend"]]
    return {
        "id": clinician["clinician_id"],
        "name": clinician["clinician_name"],
        "below": "; ".join(clinician["performance_reasons"] or clinician["team_reasons"]),
        "standing": {"word": word, "colour": color},
        "kept": {
            "share": share,
            "target": kept["bounds"].get("target_at_least"),
            "text": kept["shown"],
            "colour": BAR_COLORS[COLORS[kept["status"]]],
        },
        "trend": trend if sum(value is not None for value in trend) > 1 else None,
        "a_day": figures["sessions_per_day"]["shown"].removesuffix(" sessions"),
        "same_day": figures["same_day_documentation_rate"]["shown"],
        "unsigned": str(clinician["unsigned"]),
        "compliance": "–" if clinician["compliance"] is None else f"{float(clinician['compliance']):g} %",
    }


def build_check(figure: dict[str, Any]) -> dict[str, Any]:
    """Return a compliance check with how many records fail it."""
    missing, status = figure["missing"], figure["status"]
    word = f"{missing} to see to" if missing else "Does not apply" if status == "no_data" else "All in order"
    color = COLORS[status] if missing or status == "no_data" else "green"
    return {
        "id": figure["key"],
        "name": figure["label"],
        "below": "",
        "state": {"word": word, "colour": color},
        "value": figure["shown"],
    }


def build_tile(figure: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": figure["key"],
        "name": figure["label"],
        "below": figure["target"],
        "state": {"word": figure["status_word"], "colour": COLORS[figure["status"]]},
        "value": figure["shown"],
    }


TILE_COLUMNS = [
    {"key": "name", "label": "Check"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "value", "label": "Value", "right": True},
]


def show_overview() -> None:
    """Draw the page of the practice."""
    page = load("/dashboards/overview", choose_period())
    show_top(page, "Practice overview", "The practice has no clinicians in this period.", has_names=True)
    left, right = st.columns(2, gap="small")
    with left:
        show_needs_panel(page)
        locked = show_locked(page["locked"], find_zone())
        show_capacity(page["capacity"])
    with right:
        show_checks(page)
    if locked:
        show_unlocking(locked)


def build_fill_rows(hours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each hour of the day, with how full it is on each weekday."""
    found = {(hour["hour"], hour["weekday"]): hour for hour in hours}
    return [
        {"id": str(hour), "hour": format_hour(hour)}
        | {str(weekday): build_fill(found.get((hour, weekday))) for weekday in range(7)}
        for hour in sorted({hour for hour, _ in found})
    ]


def build_fill(hour: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return how full an hour is, in percent, as a badge."""
    if hour is None or not hour["open_minutes"]:
        return None
    share = 100 * hour["booked_minutes"] // hour["open_minutes"]
    color = "green" if share >= FULL_ENOUGH else "orange" if share >= HALF_EMPTY else "red"
    return {"word": f"{share} %", "colour": color}


def format_hour(hour: int) -> str:
    return f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}"


def describe_capacity(capacity: dict[str, Any]) -> str:
    """Return how much of the time to come is booked, and what the rest is worth."""
    if not capacity["open_minutes"]:
        return "Nobody has hours in the next two weeks."
    share = 100 * capacity["booked_minutes"] // capacity["open_minutes"]
    text = f"{share} % of the next two weeks is booked."
    if capacity["open_slots"] is None:
        return text
    worth = "" if capacity["open_value"] is None else f", worth about {format_amount(capacity['open_value'])}"
    return f"{text} {capacity['open_slots']} slots of {capacity['session_minutes']} minutes are open{worth}."


def show_capacity(capacity: dict[str, Any]) -> None:
    """Show when clinicians are booked in the next two weeks, by hour and weekday."""
    with show_panel("capacity", "When we are full", describe_capacity(capacity)):
        rows = build_fill_rows(capacity["hours"])
        show_table("capacity", "Booked share of each hour", FILL_COLUMNS, rows, "No hours.", opens=False)


def show_top(page: dict[str, Any], title: str, empty: str, *, has_names: bool = False) -> None:
    """Show the sentences and figures of the practice or of a team, and its clinicians side by side."""
    model = build_model(page)
    show_head(title, model.about, page["period"], has_names=has_names)
    show_brief(page["brief"])
    opened = show_figures("scorecard", model.cards)
    with show_panel("clinicians", "Clinicians", "Choose one to see the figures"):
        chosen = show_table("clinicians", "Clinicians side by side", COLUMNS, model.clinicians, empty)
        chosen = remember_choice(chosen, model.details)
        if chosen:
            show_clinician(model.details[chosen], page["period"], page["may"])
    if opened in model.figures:
        show_rows_behind(model.figures[opened])


def show_needs_panel(page: dict[str, Any]) -> None:
    """Show what needs somebody. Its button opens the records or the rows."""
    figures = build_model(page).figures
    with show_panel("needs", "Needs you", "The most pressing first"):
        pressed = show_needs("needs", page["needs"])
    need = next((need for need in page["needs"] if need["key"] == pressed), None)
    if need and need["records"]:
        show_records(need, hide_names=False)
    elif pressed in figures:
        show_rows_behind(figures[pressed])


def show_checks(page: dict[str, Any]) -> None:
    """Show the compliance checks and, of a practice, the revenue cycle."""
    model = build_model(page)
    with show_panel("compliance", "Compliance", "Choose a check to see its rows"):
        opened = show_table("checks", "Compliance checks", TILE_COLUMNS, model.compliance, "No checks.")
    if model.revenue_cycle:
        with show_panel("revenue", "Revenue cycle", "From the session to the money"):
            step = show_table("cycle", "Revenue cycle", TILE_COLUMNS, model.revenue_cycle, "No data yet.")
            opened = opened or step
    if opened in model.figures:
        show_rows_behind(model.figures[opened])


def remember_choice(chosen: str | None, known: dict[str, Any]) -> str | None:
    """Return the chosen clinician, who is kept in the address."""
    if chosen:
        st.query_params["person"] = chosen
    person = st.query_params.get("person")
    return person if person in known else None


def show_clinician(clinician: dict[str, Any], period: dict[str, Any], may: list[str]) -> None:
    """Show the figures of one clinician, and the way to their goals."""
    with st.container(key="cl-drill", border=True):
        word, color = STATUS_WORDS[clinician["team_status"]]
        st.html(
            f'<div class="cl-section"><h2>{escape(clinician["clinician_name"])} '
            f'<span class="cl-badge cl-{color}">{escape(word)}</span></h2></div>'
        )
        figures = {figure["key"]: figure for figure in clinician["figures"]}
        since = f"since the {period['kind']} before"
        opened = show_figures("person", [to_card(figure, since) for figure in clinician["figures"]])
        if "goals.write" in may and st.button("Goals", key="goals", icon=":material/flag:"):
            show_goals(clinician["clinician_id"], clinician["clinician_name"])
        elif opened in figures:
            show_rows_behind(figures[opened])
