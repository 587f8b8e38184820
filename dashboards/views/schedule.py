"""The page of the front desk: the schedule of a day or week, check-in, booking, moving and the waitlist."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.components import (
    read_day,
    show_brief,
    show_figures,
    show_head,
    show_needs,
    show_panel,
    show_section,
    show_steps,
    show_table,
    show_week,
)
from dashboards.problems import dialog
from dashboards.said import show_said
from dashboards.shown import format_clock, format_day
from dashboards.signed_in import find_zone, load
from dashboards.views.booking import show_booking
from dashboards.views.free_times import Lists, describe_time, forget_refusal, to_local
from dashboards.views.held_time import show_held_time
from dashboards.views.move_requests import decide_requests
from dashboards.views.visit import show_visit
from dashboards.visits import is_hiding_names, shorten_name
from dashboards.week_layout import Week, build_week, describe_state

COLUMNS = [
    {"key": "when", "label": "When"},
    {"key": "state", "label": "State", "kind": "badge"},
    {"key": "clinician", "label": "Clinician"},
    {"key": "room", "label": "Room"},
    {"key": "waits", "label": "Waits", "right": True},
]
NEED_COLUMNS = [{"key": "when", "label": "When"}, {"key": "client", "label": "Client"}]
CHOICES = {"view": {"day": "Day", "week": "Week"}, "by": {"clinician": "By clinician", "room": "By room"}}
OPENED = {"gap": "appointments.book", "held": "waitlist.answer"}  # blocks, and who opens them
EVERYBODY = {"clinician": "All clinicians", "room": "All rooms"}


@dataclass(frozen=True)
class Model:
    """The page as it is drawn."""

    about: str
    cards: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    visits: dict[str, dict[str, Any]]
    week: Week
    holds: dict[str, dict[str, Any]]
    names: dict[str, str]
    before: str
    after: str


def build_model(page: dict[str, Any], zone: ZoneInfo, now: datetime, *, hide_names: bool) -> Model:
    """Return what the page shows of an answer of the API."""
    day, is_day = date.fromisoformat(page["day"]), page["view"] == "day"
    step = timedelta(days=1 if is_day else 7)
    today = ", today" if page["day"] == page["today"] else ""
    week = build_week(
        page["columns"],
        page["visits"],
        zone,
        by=page["by"],
        hide_names=hide_names,
        titles="name" if is_day else "day",
        today=page["today"],
        opens=["visit", *(kind for kind, needed in OPENED.items() if needed in page["may"])],
    )
    everybody = {"": EVERYBODY[page["by"]]} if is_day else {}
    resources = page["clinicians" if page["by"] == "clinician" else "rooms"]
    return Model(
        about=f"{format_day(page['day'])}{today}"
        if is_day
        else f"{format_day(page['first'])} to {format_day(page['last'])}",
        cards=build_cards(page),
        rows=[build_row(visit, zone, now, hide_names=hide_names) for visit in page["visits"]] if is_day else [],
        visits={visit["id"]: visit for visit in page["visits"]},
        week=week,
        holds={hold["id"]: hold for hold in page["holds"]},
        names=everybody | {resource["id"]: resource["name"] for resource in resources},
        before=(day - step).isoformat(),
        after=(day + step).isoformat(),
    )


def build_cards(page: dict[str, Any]) -> list[dict[str, Any]]:
    longest, rooms = page["longest_wait_minutes"], sum(room["active"] for room in page["rooms"])
    waits = "Nobody waits" if longest is None else f"Longest {longest} min"
    return [
        build_card("check_ins", "Check-ins today", f"{page['check_ins']} of {page['visits_today']}"),
        build_card("waiting", "Waiting now", str(page["waiting"]), waits),
        build_card("in_session", "In session now", str(page["in_session"])),
        build_card("rooms", "Rooms in use now", f"{page['rooms_in_use']} of {rooms}"),
        build_card("waitlist", "On the waitlist", str(page["waitlist"])),
    ]


def build_card(key: str, label: str, value: str, below: str = "") -> dict[str, Any]:
    return {"key": key, "label": label, "value": value, "target": below}


def build_row(visit: dict[str, Any], zone: ZoneInfo, now: datetime, *, hide_names: bool) -> dict[str, Any]:
    start, end = (datetime.fromisoformat(visit[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
    return {
        "id": visit["id"],
        "when": f"{format_clock(start)} · {shorten_name(visit['client_name'], hide_names=hide_names)}",
        "below": f"{int((end - start).total_seconds() // 60)} min · {visit['reference']}",
        "state": describe_state(visit),
        "clinician": visit["clinician_name"] or "–",
        "room": "telehealth" if visit["telehealth"] else visit["room_name"] or "–",
        "waits": describe_wait(visit, now),
    }


def describe_wait(visit: dict[str, Any], now: datetime) -> str:
    """Return since how many minutes a client waits."""
    if visit["status"] != "CHECKED_IN" or not visit["arrived_at"]:
        return ""
    minutes = int((now - datetime.fromisoformat(visit["arrived_at"])).total_seconds() // 60)
    return f"{max(minutes, 0)} min"


def read_address() -> dict[str, str]:
    """Return the day, view and person or room that the address names, as the API takes them."""
    chosen = {name: value for name in CHOICES if (value := st.query_params.get(name)) in CHOICES[name]}
    with suppress(KeyError, ValueError):
        chosen["of"] = str(UUID(st.query_params["of"]))
    return chosen | read_day("day")


def change_address(name: str) -> None:
    """Keep a choice in the address. A person is no choice any more when rooms are shown."""
    if name == "by":
        st.query_params.pop("of", None)
    st.query_params[name] = str(st.session_state[f"schedule-{name}"])
    if not st.query_params[name]:
        del st.query_params[name]


def show_choices(page: dict[str, Any], model: Model) -> None:
    """Show the choice of the day, the view and the clinician or room, which are kept in the address."""
    chosen = {name: page[name] for name in CHOICES} | {"of": page["of"] or "", "day": date.fromisoformat(page["day"])}
    st.session_state.update({f"schedule-{name}": value for name, value in chosen.items()})
    with st.container(key="cl-choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        show_steps("day", model.before, model.after)
        st.date_input("Day", key="schedule-day", on_change=change_address, args=("day",), width=160)
        for name, words in CHOICES.items():
            st.segmented_control(
                name.title(),
                list(words),
                format_func=words.__getitem__,
                required=True,
                key=f"schedule-{name}",
                on_change=change_address,
                args=(name,),
            )
        if model.names:
            st.selectbox(
                "Clinician" if page["by"] == "clinician" else "Room",
                list(model.names),
                format_func=model.names.__getitem__,
                key="schedule-of",
                on_change=change_address,
                args=("of",),
                width=220,
            )


@dialog("Visits")
def show_visits_of_need(
    need: dict[str, Any], visits: list[dict[str, Any]], zone: ZoneInfo, *, hide_names: bool
) -> None:
    """Show the visits that a need is about. One that is chosen leads to its day."""
    show_section(need["title"], "Choose one to see its day")
    ids = {record["id"] for record in need["records"]}
    starts = {visit["id"]: to_local(visit["starts_at"], zone) for visit in visits if visit["id"] in ids}
    rows = [
        {
            "id": visit["id"],
            "when": describe_time(visit["starts_at"], zone),
            "client": shorten_name(visit["client_name"], hide_names=hide_names),
            "below": f"with {visit['clinician_name']}",
        }
        for visit in visits
        if visit["id"] in starts
    ]
    chosen = show_table("need-visits", need["title"], NEED_COLUMNS, rows, "None any more.")
    if chosen in starts:
        st.query_params.from_dict({"day": starts[chosen].date().isoformat()})
        st.rerun()


def show_schedule() -> None:
    """Draw the page."""
    page, zone = load("/dashboards/schedule", read_address()), find_zone()
    hide_names = is_hiding_names()
    model, lists = build_model(page, zone, datetime.now(zone), hide_names=hide_names), Lists.of(page, zone)
    show_head("Schedule", model.about, has_names=True)
    show_said()
    show_brief(page["brief"])
    show_figures("board", model.cards)
    with show_panel("needs", "Needs you", "The most pressing first"):
        pressed = show_needs("needs", page["needs"])
    need = next((need for need in page["needs"] if need["key"] == pressed), None)
    if need and need["action"] == "show_visits":
        show_visits_of_need(need, page["need_visits"], zone, hide_names=hide_names)
    elif need and need["action"] == "decide_requests":
        decide_requests(page["requests"], zone, hide_names=hide_names)
    with show_panel(
        "week", "Schedule", "Choose a visit to see or change it, a free time to book it, or a held one to answer"
    ):
        show_choices(page, model)
        may_book = "appointments.book" in page["may"]
        forget_refusal()
        opened = show_week(
            "week", "Schedule", model.week.data, "Nobody sees clients here yet. Add clinicians and rooms."
        )
        if may_book and st.button("Book a visit", key="book", type="primary", icon=":material/add:"):
            show_booking(None, page["by"], lists, page["may"], hide_names=hide_names)
        elif opened in model.week.gaps:
            show_booking(model.week.gaps[opened], page["by"], lists, page["may"], hide_names=hide_names)
        elif opened in model.holds:
            show_held_time(model.holds[opened], lists, hide_names=hide_names)
        elif opened in model.week.visits:
            show_visit(model.week.visits[opened], lists, page["may"], hide_names=hide_names)
    if page["view"] == "day":
        with show_panel("visits", "Visits", "Choose one to check in or to take its next step"):
            chosen = show_table("visits", "Visits of the day", COLUMNS, model.rows, "No visits on this day.")
            if chosen in model.visits:
                show_visit([model.visits[chosen]], lists, page["may"], hide_names=hide_names)
