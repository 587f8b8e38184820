"""Sample requests of appointments, slots, the waitlist and reschedule requests."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from practice.scheduling.models.appointments import RescheduleRequest, Series
from practice.scheduling.models.catalog import Service
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World

FRONT_DESK = {"admin", "scheduler"}
READERS = {"admin", "supervisor", "clinician", "scheduler", "biller", "client"}


def load_code(world: World) -> str:
    with world.practice.installation.store.begin_session(world.practice.id) as db:
        return db.get_one(Service, (world.practice.id, world.service_id)).code


def build_booking(world: World, role: str | None) -> dict[str, Any]:
    start = world.take_free_hour(online=role == "client")
    body = {"clinician_id": str(world.clinician_id), "service_code": load_code(world), "starts_at": start.isoformat()}
    return body | ({} if role == "client" else {"client_id": str(world.client_id)})


def build_free_time(world: World) -> dict[str, Any]:
    return build_booking(world, "client")


def build_series(world: World, role: str | None) -> dict[str, Any]:
    """Build a series in far-away weeks, so that no two overlap."""
    body = build_booking(world, role)
    start = world.take_free_hour() + timedelta(days=500)
    return body | {"starts_at": start.isoformat(), "rule": "FREQ=WEEKLY;COUNT=2", "skip_conflicts": True}


def make_series(world: World, _role: str | None) -> dict[str, UUID]:
    series = Series(
        id=new_id(),
        client_id=world.client_id,
        clinician_id=world.clinician_id,
        service_id=world.service_id,
        rule="FREQ=WEEKLY;COUNT=2",
        first_starts_at=world.practice.now,
        created_at=world.practice.now,
    )
    put(world.practice, series)
    world.new_appointment(series_id=series.id)
    return {"series_id": series.id}


def make_appointment(**values: Any):
    return lambda world, _role: {"appointment_id": world.new_appointment(**values)}


def make_past_appointment(status: str):
    """Make an appointment whose start has passed."""
    return lambda world, _role: {
        "appointment_id": world.new_appointment(status=status, starts_at=world.take_past_hour())
    }


def make_appointment_today(world: World, _role: str | None) -> dict[str, UUID]:
    """Make a short appointment on the day of now."""
    start = world.take_moment_today()
    return {"appointment_id": world.new_appointment(starts_at=start, ends_at=start + timedelta(minutes=2))}


def build_move(world: World, role: str | None) -> dict[str, Any]:
    return {"starts_at": world.take_free_hour(online=role == "client").isoformat()}


def make_request(world: World, _role: str | None) -> dict[str, UUID]:
    request = RescheduleRequest(
        id=new_id(),
        appointment_id=world.new_appointment(),
        asked_by_id=world.clinician_id,
        asked_at=world.practice.now,
        starts_at=world.take_free_hour(),
        reason="Ill",
        status="PENDING",
    )
    put(world.practice, request)
    return {"request_id": request.id}


def make_entry(world: World, status: str = "WAITING") -> UUID:
    # waits for a clinician whose time no other test frees
    entry = WaitlistEntry(
        id=new_id(),
        client_id=world.client_id,
        created_at=world.practice.now,
        status=status,
        clinician_ids=[world.spare.staff_id],
    )
    put(world.practice, entry)
    return entry.id


def make_waiting_entry(world: World, _role: str | None) -> dict[str, UUID]:
    return {"entry_id": make_entry(world)}


def make_offer(world: World, role: str | None) -> dict[str, UUID]:
    start = world.take_free_hour(online=role == "client")
    waitlist_offer = WaitlistOffer(
        id=new_id(),
        entry_id=make_entry(world, "OFFERED"),
        clinician_id=world.clinician_id,
        service_id=world.service_id,
        telehealth=False,
        starts_at=start,
        ends_at=start + timedelta(hours=1),
        offered_at=world.practice.now,
        holds_until=start,
        status="OPEN",
    )
    put(world.practice, waitlist_offer)
    return {"offer_id": waitlist_offer.id}


def build_empty(_world: World, _role: str | None) -> dict[str, Any]:
    return {}


def send(**body: Any):
    return lambda _world, _role: body


def pick_days(world: World) -> dict[str, str]:
    return {"from": "2026-03-20", "to": "2026-03-22", "service": load_code(world)}


VERSIONED = ("appointments", "appointment_id")

SAMPLE_REQUESTS = {
    "list_appointments": SampleRequest(READERS),
    "list_client_appointments": SampleRequest(READERS, lambda world, _role: {"client_id": world.client_id}),
    "book_appointment": SampleRequest(FRONT_DESK | {"client"}, body=build_booking),
    "book_series": SampleRequest(FRONT_DESK, body=build_series),
    "get_series": SampleRequest(READERS, make_series),
    "preview_appointment": SampleRequest(FRONT_DESK | {"client"}, body=build_booking),
    "get_calendar": SampleRequest(READERS),
    "get_appointment": SampleRequest(READERS, make_appointment()),
    "change_appointment": SampleRequest(FRONT_DESK, make_appointment(), send(instructions="Ring twice"), VERSIONED),
    "list_status_history": SampleRequest(READERS, make_appointment()),
    "confirm_appointment": SampleRequest(FRONT_DESK | {"clinician"}, make_appointment(), build_empty),
    "check_in_appointment": SampleRequest(FRONT_DESK | {"clinician"}, make_appointment_today, build_empty),
    "mark_appointment_ready": SampleRequest(FRONT_DESK | {"clinician"}, make_appointment(status="CHECKED_IN")),
    "start_appointment": SampleRequest(FRONT_DESK | {"clinician"}, make_past_appointment("CHECKED_IN"), build_empty),
    "complete_appointment": SampleRequest(
        FRONT_DESK | {"clinician"}, make_past_appointment("IN_PROGRESS"), build_empty
    ),
    "mark_appointment_no_show": SampleRequest(
        FRONT_DESK | {"clinician"}, make_past_appointment("SCHEDULED"), build_empty
    ),
    "revert_appointment": SampleRequest(
        FRONT_DESK | {"clinician"},
        make_past_appointment("CHECKED_IN"),
        send(from_status="CHECKED_IN", reason="The wrong client"),
    ),
    "cancel_appointment": SampleRequest(FRONT_DESK | {"clinician", "client"}, make_appointment(), send(reason="Ill")),
    "reschedule_appointment": SampleRequest(FRONT_DESK | {"client"}, make_appointment(), build_move),
    "change_many_appointments": SampleRequest(
        FRONT_DESK, body=lambda world, _role: {"action": "confirm", "appointment_ids": [str(world.new_appointment())]}
    ),
    "list_clinician_slots": SampleRequest(
        FRONT_DESK | {"supervisor", "clinician", "client"},
        lambda world, _role: {"staff_id": world.clinician_id},
        query=pick_days,
    ),
    "list_first_free_slots": SampleRequest(FRONT_DESK | {"supervisor", "clinician", "client"}, query=pick_days),
    "list_waitlist": SampleRequest(READERS),
    "add_to_waitlist": SampleRequest(
        FRONT_DESK,
        body=lambda world, _role: {"client_id": str(world.client_id), "time_from": "23:59"},
    ),
    "get_waitlist_entry": SampleRequest(READERS, make_waiting_entry),
    "change_waitlist_entry": SampleRequest(
        FRONT_DESK, make_waiting_entry, send(priority=1), ("waitlist_entries", "entry_id")
    ),
    "withdraw_waitlist_entry": SampleRequest(FRONT_DESK, make_waiting_entry),
    "list_waitlist_candidates": SampleRequest(FRONT_DESK, query=build_free_time),
    "offer_free_time": SampleRequest(FRONT_DESK, make_waiting_entry, lambda world, _role: build_free_time(world)),
    "list_waitlist_offers": SampleRequest(READERS, make_waiting_entry),
    "take_waitlist_offer": SampleRequest(FRONT_DESK | {"client"}, make_offer),
    "decline_waitlist_offer": SampleRequest(FRONT_DESK | {"client"}, make_offer),
    "list_reschedule_requests": SampleRequest(FRONT_DESK | {"supervisor", "clinician"}),
    "request_reschedule": SampleRequest(
        {"clinician"},
        body=lambda world, _role: {
            "appointment_id": str(world.new_appointment()),
            "starts_at": world.take_free_hour().isoformat(),
            "reason": "Ill",
        },
    ),
    "get_reschedule_request": SampleRequest(FRONT_DESK | {"supervisor", "clinician"}, make_request),
    "approve_reschedule_request": SampleRequest(FRONT_DESK, make_request, build_empty),
    "reject_reschedule_request": SampleRequest(FRONT_DESK, make_request, send(note="No room is free")),
    "withdraw_reschedule_request": SampleRequest({"clinician"}, make_request),
}
