"""Choosing a free time in a dialog: who, on which day, when and where, and the alternatives of a refusal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.problems import say
from dashboards.shown import format_clock, format_day
from dashboards.signed_in import Answer, call_api

DAYS_AHEAD = 13  # searched when nothing is free on the day
MAX_LATER = 6
NO_ROOM = ""


@dataclass(frozen=True)
class Lists:
    """The clinicians, rooms and services to choose from, by id or code."""

    clinicians: dict[str, str]
    rooms: dict[str, str]
    services: dict[str, dict[str, Any]]
    today: date
    day: date  # that is looked at
    zone: ZoneInfo

    @classmethod
    def of(cls, page: dict[str, Any], zone: ZoneInfo) -> "Lists":
        """Return the lists of the page of the schedule."""
        clinicians, rooms = (
            {item["id"]: item["name"] for item in page[kind] if item["active"]} for kind in ("clinicians", "rooms")
        )
        services = {service["code"]: service for service in page["services"]}
        today, day = (date.fromisoformat(page[name]) for name in ("today", "day"))
        return cls(clinicians, rooms, services, today, day, zone)


def choose_clinician(lists: Lists, key: str, chosen: str | None) -> str | None:
    ids = list(lists.clinicians)
    index = ids.index(chosen) if chosen in lists.clinicians else None
    return st.selectbox("Clinician", ids, index=index, format_func=lambda id: lists.clinicians[id], key=f"{key}-who")


def choose_room(lists: Lists, key: str, chosen: str | None) -> str | None:
    """Return the chosen room, or None for no room."""
    ids = [NO_ROOM, *lists.rooms]
    index = ids.index(chosen) if chosen in lists.rooms else 0
    names = {NO_ROOM: "No room"} | lists.rooms
    return st.selectbox("Room", ids, index=index, format_func=lambda id: names[id], key=f"{key}-room") or None


def choose_time(
    lists: Lists, key: str, clinician_id: str | None, service_code: str | None, day: date, prefers: str | None = None
) -> dict[str, Any] | None:
    """Return the chosen free time of the clinician on a day that is chosen as well, or of the days after it.

    `prefers` is the instant from which on the first free time is chosen already.
    """
    on = st.date_input("Day", max(day, lists.today), min_value=lists.today, key=f"{key}-day")
    if clinician_id is None or service_code is None or not isinstance(on, date):
        st.caption("Choose a service and a clinician to see the free times.")
        return None
    params = {"from": on.isoformat(), "to": (on + timedelta(days=DAYS_AHEAD)).isoformat(), "service": service_code}
    answer = call_api("GET", f"/clinicians/{clinician_id}/slots", params=params)
    if answer.problem:
        say("info", "This clinician does not offer the service." if answer.status == 404 else answer.problem)
        return None
    times = {slot["starts_at"]: slot for slot in answer.document["items"]}
    shown = [start for start in times if to_local(start, lists.zone).date() == on]
    if not shown:
        shown = list(times)[:MAX_LATER]
        st.info(
            "Nothing is free on this day. These times are next." if shown else "Nothing is free in these two weeks."
        )
    place = f"{key}-time-{clinician_id}-{service_code}-{on}"
    if (chosen := st.session_state.get(place)) and chosen not in shown:
        shown = sorted([*shown, chosen])  # taken by somebody else meanwhile: the API says so when it is tried
    if not shown:
        return None
    first = next((start for start in shown if prefers and to_instant(start) >= to_instant(prefers)), None)
    labels = {start: describe_time(start, lists.zone, on) for start in shown}
    chosen = st.pills("Free times", shown, default=first, format_func=lambda start: labels[start], key=place)
    return times.get(chosen, {"starts_at": chosen}) if chosen else None


def to_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_local(text: str, zone: ZoneInfo) -> datetime:
    return to_instant(text).astimezone(zone)


def describe_time(start: str, zone: ZoneInfo, on: date | None = None) -> str:
    """Return the time of the clock, with its day if that is another one."""
    local = to_local(start, zone)
    return (
        format_clock(local) if local.date() == on else f"{format_day(local.date().isoformat())}, {format_clock(local)}"
    )


def forget_refusal() -> None:
    """Forget the refusal of another dialog, before one is opened."""
    st.session_state.pop("refusal", None)


def keep_refusal(answer: Answer) -> None:
    """Keep why the API refuses and what it offers instead, so that the dialog shows both until something is chosen."""
    st.session_state.refusal = (answer.problem, answer.alternatives)


def show_refusal(lists: Lists, take: Callable[[dict[str, Any]], None]) -> None:
    """Say why the last attempt was refused, with a button for each alternative that takes it."""
    problem, alternatives = st.session_state.get("refusal", ("", []))
    if not problem:
        return
    say("error", problem)
    st.caption("These are free:" if alternatives else "Close this window to see the schedule as it is now.")
    for number, alternative in enumerate(alternatives):
        if st.button(describe_alternative(alternative, lists), key=f"alternative-{number}"):
            take(alternative)
            st.rerun(scope="fragment")  # refused as well: say why


def describe_alternative(alternative: dict[str, Any], lists: Lists) -> str:
    room = lists.rooms.get(alternative["room_id"] or "")
    parts = [describe_time(alternative["starts_at"], lists.zone), alternative["clinician_name"], room]
    return " · ".join(part for part in parts if part)
