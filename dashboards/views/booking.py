"""The dialog of a free time: booking a visit, or offering the time to somebody on the waitlist."""

from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboards.components import show_section
from dashboards.problems import dialog, say
from dashboards.said import say_next
from dashboards.shown import format_amount, format_date
from dashboards.signed_in import call_api
from dashboards.views.free_times import (
    Lists,
    choose_clinician,
    choose_room,
    choose_time,
    describe_time,
    keep_refusal,
    show_refusal,
    to_instant,
    to_local,
)
from dashboards.visits import shorten_name

BOOK, OFFER = "Book", "Offer to the waitlist"


@dialog("Book a visit", on_dismiss="rerun")  # so that the next one begins empty
def show_booking(gap: dict[str, Any] | None, by: str, lists: Lists, may: list[str], *, hide_names: bool) -> None:
    """Show the form of a visit in a free time of a clinician or room, or anywhere."""
    key = f"book-{gap['id']}-{gap['starts_at']}" if gap else "book"
    day = to_local(gap["starts_at"], lists.zone).date() if gap else lists.day
    if gap:
        minutes = int((to_instant(gap["ends_at"]) - to_instant(gap["starts_at"])) / timedelta(minutes=1))
        name = (lists.clinicians if by == "clinician" else lists.rooms).get(gap["id"], "")
        show_section(name, f"Free from {describe_time(gap['starts_at'], lists.zone)}, for {minutes} minutes")
    tasks = [BOOK] + ([OFFER] if "waitlist.write" in may else [])
    task = st.segmented_control("What to do", tasks, default=BOOK, required=True, key=f"{key}-task")
    client_id = choose_client(key, hide_names=hide_names) if task == BOOK else None
    service_code = choose_service(lists, key, is_group_possible=task == BOOK)
    clinician_id = choose_clinician(lists, key, gap["id"] if gap and by == "clinician" else None)
    slot = choose_time(lists, key, clinician_id, service_code, day, gap["starts_at"] if gap else None)
    room_id = choose_room(lists, key, gap["id"] if gap and by == "room" else None)
    telehealth = st.checkbox("Telehealth", key=f"{key}-telehealth")
    time = {"clinician_id": clinician_id, "room_id": room_id, "telehealth": telehealth, "service_code": service_code}
    if task == OFFER:
        if slot is not None:
            show_candidates({**time, "starts_at": slot["starts_at"]}, lists, hide_names=hide_names)
        return

    def book(place: dict[str, Any]) -> None:
        group = {"group_session_id": place["group_session_id"], "clinician_id": None, "room_id": None}
        chosen = {name: place[name] for name in ("clinician_id", "room_id", "starts_at") if name in place}
        is_seat = place.get("group_session_id") is not None
        body = time | {"client_id": client_id} | (group if is_seat else chosen)
        answer = call_api(
            "POST", "/appointments", json={name: value for name, value in body.items() if value is not None}
        )
        if answer.problem:
            keep_refusal(answer)
            return
        say_booked(answer.document, lists)

    is_missing = client_id is None or slot is None
    if (
        st.button("Book", key=f"{key}-book", type="primary", icon=":material/event_available:", disabled=is_missing)
        and slot
    ):
        book(slot)
    show_refusal(lists, book)


def say_booked(booked: dict[str, Any], lists: Lists) -> None:
    """Say that a visit is booked, what is due at it, and what to see to."""
    due = f" {format_amount(booked['amount'])} is due at the visit." if booked["payment_required"] else ""
    when = describe_time(booked["appointment"]["starts_at"], lists.zone)
    say_next(f"Booked: {when}, {booked['reference']}.{due}", booked["warnings"])


def choose_client(key: str, *, hide_names: bool) -> str | None:
    """Return the client who is found by name, birth date or id."""
    query = st.text_input(
        "Client", key=f"{key}-search", max_chars=100, placeholder="Beginnings of names, or birth date"
    )
    if not query.strip():
        return None
    answer = call_api("POST", "/clients/search", json={"query": query.strip()})
    if answer.problem:
        say("info", answer.problem)
        return None
    found = {client["id"]: describe_client(client, hide_names=hide_names) for client in answer.document["items"]}
    if not found:
        st.info("Nobody is found. Try fewer letters, or the birth date.")
        return None
    index = 0 if len(found) == 1 else None
    return st.selectbox("Who", list(found), index=index, format_func=lambda id: found[id], key=f"{key}-client-{query}")


def describe_client(client: dict[str, Any], *, hide_names: bool) -> str:
    name = shorten_name(f"{client['first_name']} {client['last_name']}", hide_names=hide_names)
    return f"{name}, born {format_date(client['birth_date'])}" + (
        "" if client["status"] == "ACTIVE" else f" ({client['status'].lower()})"
    )


def choose_service(lists: Lists, key: str, *, is_group_possible: bool) -> str | None:
    """Return the code of the chosen service."""
    codes = [code for code, service in lists.services.items() if is_group_possible or service["kind"] != "GROUP"]
    words = {code: f"{service['name']} ({code}), {service['minutes']} min" for code, service in lists.services.items()}
    index = 0 if len(codes) == 1 else None
    return st.selectbox("Service", codes, index=index, format_func=lambda code: words[code], key=f"{key}-service")


def show_candidates(time: dict[str, Any], lists: Lists, *, hide_names: bool) -> None:
    """Show whom on the waitlist the time suits, with a button that offers it."""
    known = {name: value for name, value in time.items() if value is not None}
    answer = call_api("GET", "/waitlist/candidates", params=known)
    if answer.problem:
        say("error", answer.problem)
        return
    if not answer.document["items"]:
        st.info("Nobody on the waitlist waits for such a time.")
    for candidate in answer.document["items"]:
        entry, problems = candidate["entry"], candidate["problems"]
        name = shorten_name(entry["client_name"], hide_names=hide_names)
        since = format_date(date.fromisoformat(entry["created_at"][:10]).isoformat())
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            show_section(name, " ".join(problems) or f"Priority {entry['priority']}, waits since {since}")
            if not problems and st.button("Offer", key=f"offer-{entry['id']}", help="Offer them the time"):
                offer(entry["id"], known, lists)


def offer(entry_id: str, time: dict[str, Any], lists: Lists) -> None:
    """Offer the time, and say until when it is held."""
    answer = call_api("POST", f"/waitlist/{entry_id}/offers", json=time)
    if answer.problem:
        say("error", answer.problem)
        return
    held = describe_time(answer.document["holds_until"], lists.zone)
    say_next(f"Offered. The time is held until {held}.")
