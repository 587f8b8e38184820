"""The components that pages are made of, and of nothing else: head, brief, figures, tables, what to do, panels."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards import signed_in
from dashboards.navigation import has_page, open_page
from dashboards.problems import dialog
from dashboards.visits import shorten_name

ASSETS = Path(__file__).parent / "assets"
COLORS = {"on_target": "green", "below_target": "orange", "alert": "red", "info": "gray", "no_data": "gray"}
URGENCIES = {
    "today": ("Act today", "red"),
    "this_week": ("This week", "orange"),
    "this_month": ("This month", "blue"),
    "fine": ("Fine", "green"),
}
PERIODS = {"week": "Week", "month": "Month", "quarter": "Quarter"}


def load_component(name: str) -> Any:
    """Return a component of ours: its script after the parts that all of them use."""
    script = (ASSETS / "parts.js").read_text() + (ASSETS / f"{name}.js").read_text()
    return st.components.v2.component(f"caseload_{name}", js=script, isolate_styles=False)


draw_figure_cards, draw_table, draw_todo, draw_week, draw_notepad = (
    load_component(name) for name in ("figures", "rows", "todo", "week", "notepad")
)


def ignore() -> None:
    """Do nothing: a trigger needs a function to be reported."""


def choose_period() -> dict[str, str]:
    """Return the period that the address names, as the API takes it."""
    kind = st.query_params.get("period", "month")
    return {"period": kind if kind in PERIODS else "month"} | read_day("day")


def read_day(name: str) -> dict[str, str]:
    """Return the day that the address has under the name, as the API takes it; empty without one that is plausible."""
    try:
        day = date.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        return {}
    return {name: day.isoformat()} if 1990 <= day.year <= 2100 else {}


def show_head(title: str, about: str, period: dict[str, Any] | None = None, *, has_names: bool = False) -> None:
    """Show the title of the page with the choice of its period, which is kept in the address.

    A page with names of clients has the switch that hides them.
    """
    with st.container(key="cl-head", horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.html(f'<div class="cl-hello"><h1>{escape(title)}</h1><p>{escape(about)}</p></div>', width="stretch")
        if has_names:
            hint = "For a screen that others can see"
            st.toggle("Hide names", key="hide_names", help=hint, on_change=keep_hiding)
        if period is not None:
            with st.container(width="content", horizontal=True, vertical_alignment="center", gap="small"):
                before = date.fromisoformat(period["start"]) - date.resolution
                after = date.fromisoformat(period["last_day"]) + date.resolution
                show_steps("day", before.isoformat(), after.isoformat())
                st.segmented_control(
                    "Period",
                    list(PERIODS),
                    default=period["kind"],
                    format_func=lambda kind: PERIODS[kind],
                    required=True,
                    label_visibility="collapsed",
                    key="period",
                    on_change=change_period,
                )


def keep_hiding() -> None:
    """Keep for all pages whether names are hidden: Streamlit forgets a switch that the next page does not have."""
    if session := signed_in.find_session():
        session.hides_names = st.session_state.hide_names


def change_period() -> None:
    st.query_params["period"] = st.session_state.period


def show_steps(name: str, before: str, after: str | None) -> None:
    """Show the buttons that lead to the day or week before and after, which is kept in the address."""
    with st.container(width="content", horizontal=True, gap="small"):
        for label, icon, target in (("Earlier", "chevron_left", before), ("Later", "chevron_right", after)):
            if target is not None:
                st.button(
                    label,
                    key=f"{name}-{label}",
                    icon=f":material/{icon}:",
                    type="tertiary",
                    on_click=lambda target=target: st.query_params.update({name: target}),
                )


def show_brief(sentences: Sequence[str]) -> None:
    if sentences:
        st.html(f'<div class="cl-brief"><p>{escape(" ".join(sentences))}</p></div>')


def show_section(title: str, about: str = "") -> None:
    text = f"<p>{escape(about)}</p>" if about else ""
    st.html(f'<div class="cl-section"><h2>{escape(title)}</h2>{text}</div>')


@contextmanager
def show_panel(key: str, title: str, about: str = "") -> Generator[None]:
    with st.container(border=True, height="stretch", key=f"cl-panel-{key}"):
        show_section(title, about)
        yield


def show_figures(key: str, figures: Sequence[dict[str, Any]]) -> str | None:
    """Show cards, and return the key of the one that was just opened."""
    return draw_figure_cards(key=key, data=list(figures), on_opened_change=ignore).opened


def to_card(figure: dict[str, Any], since: str) -> dict[str, Any]:
    """Return the card of a figure as the API sends it."""
    trend = [None if value is None else float(value) for value in figure["trend"]]
    return {
        "key": figure["key"],
        "label": figure["label"],
        "value": figure["shown"],
        "delta": "" if figure["change"] == "no change" else figure["change"],
        "since": since if figure["change"] else "",
        "series": trend if sum(value is not None for value in trend) > 1 else None,
        "target": figure["target"],
        "opens": True,
        "help": figure["formula"],
        "badge": {"word": figure["status_word"], "colour": COLORS[figure["status"]]},
    }


def show_table(
    key: str, caption: str, columns: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], empty: str, **more: Any
) -> str | None:
    """Show a table of tens of rows, and return the id of the row that was just opened."""
    data = {"caption": caption, "columns": columns, "rows": rows, "empty": empty, "opens": True, "chosen": None} | more
    return draw_table(key=key, data=data, on_opened_change=ignore).opened


def show_week(key: str, caption: str, grid: dict[str, Any], empty: str) -> str | None:
    """Show a time grid, and return the id of the block that was just opened."""
    data = grid | {"caption": caption, "empty": empty, "none": "Nothing on this day."}
    return draw_week(key=key, data=data, on_opened_change=ignore).opened


def show_needs(key: str, needs: Sequence[dict[str, Any]], *, hide_names: bool = False) -> str | None:
    """Show what needs somebody, and return the key of the need whose button was just pressed."""
    if not needs:
        st.html('<p class="cl-none">Nothing needs you now.</p>')
        return None
    rows = []
    for need in needs:
        word, color = URGENCIES[need["urgency"]]
        names = need["action"] == "show_clients" and hide_names
        rows.append(
            {
                "id": need["key"],
                "badge": {"word": word, "colour": color},
                "what": need["title"],
                "why": "" if names else need["detail"],
                "does": need["action_label"] or None,
                "first": need["urgency"] == "today",
            }
        )
    return draw_todo(key=key, data=rows, on_done_change=ignore).done


def show_notepad(key: str, pad: dict[str, Any]) -> dict[str, Any] | None:
    """Show a note to write or to read, and return what was just done with it: its `id`, its `step`, and the note.

    The pad saves what is typed by itself, through `dashboards.note_saving`.
    """
    return draw_notepad(key=key, data=pad, on_act_change=ignore).act


@dialog("Who it is about")
def show_records(need: dict[str, Any], *, hide_names: bool) -> None:
    """Show the records of a need by name. A client opens, for those who have the page of one."""
    show_section(need["title"], "" if hide_names else need["detail"])
    of_clients = need["action"] == "show_clients"
    rows = [
        {"id": record["id"], "name": shorten_name(record["name"], hide_names=hide_names and of_clients)}
        for record in need["records"]
    ]
    opens = of_clients and has_page("client")
    chosen = show_table("records", need["title"], [{"key": "name", "label": "Name"}], rows, "Nobody.", opens=opens)
    if chosen and opens:
        open_page("client", id=chosen)
