"""Requests about appointments, slots, the waitlist and requests to move."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from practice.scheduling.models.appointments import RescheduleRequest
from practice.scheduling.models.catalog import Service
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World

DESK = {"admin", "scheduler"}
READERS = {"admin", "supervisor", "clinician", "scheduler", "biller", "client"}


def code(world: World) -> str:
    with world.practice.installation.store.session_in(world.practice.id) as db:
        return db.get_one(Service, (world.practice.id, world.service_id)).code


def booking(world: World, role: str | None) -> dict[str, Any]:
    start = world.free_hour(online=role == "client")
    body = {"clinician_id": str(world.clinician_id), "service_code": code(world), "starts_at": start.isoformat()}
    return body | ({} if role == "client" else {"client_id": str(world.client_id)})


def series(world: World, role: str | None) -> dict[str, Any]:
    """Each on a minute of its own of far-away weeks, so that none meets another."""
    body = booking(world, role)
    start = world.free_hour() + timedelta(days=4000)
    return body | {"starts_at": start.isoformat(), "rule": "FREQ=WEEKLY;COUNT=2", "skip_conflicts": True}


def appointment(**more: Any):
    return lambda world, _role: {"appointment_id": world.new_appointment(**more)}


def begun(status: str):
    """One whose start has passed."""
    return lambda world, _role: {"appointment_id": world.new_appointment(status=status, starts_at=world.past_hour())}


def move(world: World, role: str | None) -> dict[str, Any]:
    return {"starts_at": world.free_hour(online=role == "client").isoformat()}


def request_to_move(world: World, _role: str | None) -> dict[str, UUID]:
    request = RescheduleRequest(
        id=new_id(),
        appointment_id=world.new_appointment(),
        asked_by_id=world.clinician_id,
        asked_at=world.practice.now,
        starts_at=world.free_hour(),
        reason="Ill",
        status="PENDING",
    )
    put(world.practice, request)
    return {"request_id": request.id}


def entry_of(world: World, status: str = "WAITING") -> UUID:
    # somebody who waits for something that the other tests never free
    entry = WaitlistEntry(
        id=new_id(),
        client_id=world.client_id,
        created_at=world.practice.now,
        status=status,
        clinician_ids=[world.spare.staff_id],
    )
    put(world.practice, entry)
    return entry.id


def waiting(world: World, _role: str | None) -> dict[str, UUID]:
    return {"entry_id": entry_of(world)}


def offer(world: World, role: str | None) -> dict[str, UUID]:
    start = world.free_hour(online=role == "client")
    kept = WaitlistOffer(
        id=new_id(),
        entry_id=entry_of(world, "OFFERED"),
        clinician_id=world.clinician_id,
        service_id=world.service_id,
        telehealth=False,
        starts_at=start,
        ends_at=start + timedelta(hours=1),
        offered_at=world.practice.now,
        holds_until=start,
        status="OPEN",
    )
    put(world.practice, kept)
    return {"offer_id": kept.id}


def nothing(_world: World, _role: str | None) -> dict[str, Any]:
    return {}


def given(**body: Any):
    return lambda _world, _role: body


def days(world: World) -> dict[str, str]:
    return {"from": "2026-03-20", "to": "2026-03-22", "service": code(world)}


VERSIONED = ("appointments", "appointment_id")

SAMPLE_REQUESTS = {
    "list_appointments": SampleRequest(READERS),
    "list_client_appointments": SampleRequest(READERS, lambda world, _role: {"client_id": world.client_id}),
    "book_appointment": SampleRequest(DESK | {"client"}, body=booking),
    "book_series": SampleRequest(DESK, body=series),
    "preview_appointment": SampleRequest(DESK | {"client"}, body=booking),
    "get_calendar": SampleRequest(READERS),
    "get_appointment": SampleRequest(READERS, appointment()),
    "change_appointment": SampleRequest(DESK, appointment(), given(instructions="Ring twice"), VERSIONED),
    "list_appointment_steps": SampleRequest(READERS, appointment()),
    "confirm_appointment": SampleRequest(DESK | {"clinician"}, appointment(), nothing),
    "check_in_appointment": SampleRequest(DESK | {"clinician"}, appointment(), nothing),
    "ready_appointment": SampleRequest(DESK | {"clinician"}, appointment(status="CHECKED_IN")),
    "start_appointment": SampleRequest(DESK | {"clinician"}, appointment(status="CHECKED_IN"), nothing),
    "complete_appointment": SampleRequest(DESK | {"clinician"}, begun("IN_PROGRESS"), nothing),
    "no_show_appointment": SampleRequest(DESK | {"clinician"}, begun("SCHEDULED"), nothing),
    "cancel_appointment": SampleRequest(DESK | {"clinician", "client"}, appointment(), given(reason="Ill")),
    "reschedule_appointment": SampleRequest(DESK | {"client"}, appointment(), move),
    "change_many_appointments": SampleRequest(
        DESK, body=lambda world, _role: {"action": "confirm", "appointment_ids": [str(world.new_appointment())]}
    ),
    "list_clinician_slots": SampleRequest(
        DESK | {"supervisor", "clinician", "client"}, lambda world, _role: {"staff_id": world.clinician_id}, query=days
    ),
    "list_first_free": SampleRequest(DESK | {"supervisor", "clinician", "client"}, query=days),
    "list_waitlist": SampleRequest(READERS),
    "add_to_waitlist": SampleRequest(
        DESK, body=lambda world, _role: {"client_id": str(world.client_id), "until_on": "2020-01-01"}
    ),
    "get_waitlist_entry": SampleRequest(READERS, waiting),
    "change_waitlist_entry": SampleRequest(DESK, waiting, given(priority=1), ("waitlist_entries", "entry_id")),
    "withdraw_waitlist_entry": SampleRequest(DESK, waiting),
    "list_waitlist_offers": SampleRequest(READERS, waiting),
    "take_waitlist_offer": SampleRequest(DESK | {"client"}, offer),
    "decline_waitlist_offer": SampleRequest(DESK | {"client"}, offer),
    "list_reschedule_requests": SampleRequest(DESK | {"supervisor", "clinician"}),
    "ask_to_reschedule": SampleRequest(
        {"clinician"},
        body=lambda world, _role: {
            "appointment_id": str(world.new_appointment()),
            "starts_at": world.free_hour().isoformat(),
            "reason": "Ill",
        },
    ),
    "get_reschedule_request": SampleRequest(DESK | {"supervisor", "clinician"}, request_to_move),
    "approve_reschedule_request": SampleRequest(DESK, request_to_move, nothing),
    "reject_reschedule_request": SampleRequest(DESK, request_to_move, given(note="No room is free")),
    "withdraw_reschedule_request": SampleRequest({"clinician"}, request_to_move),
}
