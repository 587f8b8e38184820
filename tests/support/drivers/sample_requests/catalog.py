"""Sample requests of the catalog, prices, fees, rooms, hours, closures and pay rates."""

from datetime import date, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import update

from practice.scheduling.models.availability import AvailabilityException, AvailabilityWindow, Block, Closure
from practice.scheduling.models.catalog import ClinicianService, Fee
from practice.store.ids import new_id
from tests.support.builders.schedule import make_room, make_service, put
from tests.support.drivers.operations import SampleRequest, World, send_reason

DIRECTORY = {"admin", "supervisor", "clinician", "scheduler", "biller"}
ROOM_WRITERS = {"admin", "scheduler"}
BOOKERS = DIRECTORY | {"client"}
FEE_READERS = {"admin", "supervisor", "biller"}
PAY_READERS = {"admin", "supervisor", "clinician", "biller"}
SCHEDULE_READERS = {"admin", "supervisor", "clinician", "scheduler"}
SCHEDULE_WRITERS = {"admin", "clinician", "scheduler"}


def make_new_service(world: World, _role: str | None) -> dict[str, Any]:
    code = f"S{new_id().hex[-8:]}"
    return {"code": code, "service_id": make_service(world.practice, code)}


def build_service(_world: World, _role: str | None) -> dict[str, Any]:
    values = {"code": f"S{new_id().hex[-8:]}", "name": "Couples", "kind": "FAMILY", "cpt_code": "90847"}
    return values | {"minutes": 50, "rate": "160.00"}


def build_rate(_world: World, _role: str | None) -> dict[str, Any]:
    return {"rate": "155.50", "effective_on": "2026-04-01"}


def pick_clinician(world: World, _role: str | None) -> dict[str, Any]:
    return {"staff_id": world.clinician_id}


def make_own_price(world: World, role: str | None) -> dict[str, Any]:
    ids = make_new_service(world, role)
    own = ClinicianService(id=new_id(), clinician_id=world.clinician_id, service_id=ids["service_id"], minutes=45)
    put(world.practice, own)
    return ids | {"staff_id": world.clinician_id, "price_id": own.id}


def build_terms(_world: World, _role: str | None) -> dict[str, Any]:
    return {"minutes": 40, "price": "120.00"}


def build_fee(world: World, role: str | None) -> dict[str, Any]:
    code = make_new_service(world, role)["code"]
    return {"payer_id": "ANYPAYER", "service": code, "clinician_id": str(world.clinician_id), "rate": "98.10"}


def make_new_fee(world: World, _role: str | None) -> dict[str, Any]:
    fee = Fee(id=new_id(), payer_id="ANYPAYER", service_id=world.service_id, rate_cents=9810, set_at=world.practice.now)
    put(world.practice, fee)
    return {"fee_id": fee.id}


def make_new_room(world: World, _role: str | None) -> dict[str, Any]:
    return {"room_id": make_room(world.practice)}


def build_room(_world: World, _role: str | None) -> dict[str, Any]:
    return {"name": f"Blue {new_id().hex[-8:]}", "capacity": 3, "equipment": ["whiteboard", "sink"]}


def build_block(world: World, _role: str | None) -> dict[str, Any]:
    start = world.take_free_hour() + timedelta(days=365)
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat(), "reason": "Painting"}


def make_new_block(world: World, **target: Any) -> dict[str, Any]:
    start = world.take_free_hour() + timedelta(days=365)
    block = Block(id=new_id(), starts_at=start, ends_at=start + timedelta(hours=1), **target)
    put(world.practice, block)
    return {"block_id": block.id}


def make_room_block(world: World, role: str | None) -> dict[str, Any]:
    ids = make_new_room(world, role)
    return ids | make_new_block(world, **ids)


def make_meeting(world: World, _role: str | None) -> dict[str, Any]:
    return {"staff_id": world.clinician_id} | make_new_block(world, clinician_id=world.clinician_id)


FAR = date(2100, 1, 3)  # until then the clinician has the weekly hours of the world
LATER = count(1)


def take_unused_day() -> dict[str, str]:
    """Return the span of a day that no other request uses."""
    day = (FAR + timedelta(days=next(LATER))).isoformat()
    return {"effective_on": day, "ends_on": day}


def build_window(_world: World, _role: str | None) -> dict[str, Any]:
    return {"weekday": 1, "start_time": "09:00", "end_time": "12:00", **take_unused_day()}


def free_calendar(world: World, role: str | None) -> dict[str, Any]:
    with world.practice.installation.store.begin_session(world.practice.id) as db:
        db.execute(update(AvailabilityWindow).where(AvailabilityWindow.ends_on.is_(None)).values(ends_on=FAR))
    return pick_clinician(world, role)


def make_window(world: World, role: str | None) -> dict[str, Any]:
    ids = free_calendar(world, role)
    day = date.fromisoformat(take_unused_day()["effective_on"])
    window = AvailabilityWindow(
        id=new_id(),
        clinician_id=world.clinician_id,
        weekday=2,
        start_time=time(9),
        end_time=time(12),
        effective_on=day,
        ends_on=day,
    )
    put(world.practice, window)
    return ids | {"window_id": window.id}


def build_exception(_world: World, _role: str | None) -> dict[str, Any]:
    return {"on_date": "2026-12-24", "available": False, "start_time": "12:00", "end_time": "17:00", "reason": "Party"}


def make_exception(world: World, _role: str | None) -> dict[str, Any]:
    exception = AvailabilityException(
        id=new_id(), clinician_id=world.clinician_id, on_date=date(2026, 12, 24), available=False
    )
    put(world.practice, exception)
    return {"staff_id": world.clinician_id, "exception_id": exception.id}


def build_closure(_world: World, _role: str | None) -> dict[str, Any]:
    return {"closed_on": take_unused_day()["effective_on"], "reason": "Holiday"}


def make_closure(world: World, role: str | None) -> dict[str, Any]:
    closed_on = date.fromisoformat(take_unused_day()["effective_on"])
    put(world.practice, Closure(id=new_id(), closed_on=closed_on))
    return {"closed_on": closed_on}


def build_pay_rate(_world: World, _role: str | None) -> dict[str, Any]:
    return {"rate": "62.50", "effective_on": "2026-01-01"}


def build_multiplier(world: World, _role: str | None) -> dict[str, Any]:
    values = {"kind": "GROUP", "multiplier": "1.75", "effective_on": "2026-01-01"}
    return values | {"staff_id": str(world.clinician_id)}


def send_field(key: str, value: Any) -> Any:
    return lambda _world, _role: {key: value}


SPAN = {"from": "2026-03-01", "to": "2026-03-31"}
INSTANTS = {"starts_at": "2026-03-20T14:00:00Z", "ends_at": "2026-03-20T15:00:00Z"}
SERVICE = ("services", "service_id")
ROOM = ("rooms", "room_id")
WINDOW = ("availability_windows", "window_id")

SAMPLE_REQUESTS = {
    "list_services": SampleRequest(BOOKERS),
    "add_service": SampleRequest({"admin"}, body=build_service),
    "get_service": SampleRequest(BOOKERS, make_new_service),
    "change_service": SampleRequest({"admin"}, make_new_service, send_field("minutes", 55), SERVICE),
    "deactivate_service": SampleRequest({"admin"}, make_new_service),
    "activate_service": SampleRequest({"admin"}, make_new_service),
    "list_service_rates": SampleRequest(DIRECTORY, make_new_service),
    "set_service_rate": SampleRequest({"admin"}, make_new_service, build_rate),
    "list_clinicians": SampleRequest(BOOKERS),
    "list_prices": SampleRequest(BOOKERS, pick_clinician),
    "get_price": SampleRequest(BOOKERS, make_own_price),
    "set_price": SampleRequest({"admin"}, make_own_price, build_terms, ("clinician_services", "price_id")),
    "reset_price": SampleRequest({"admin"}, make_own_price, body=send_reason),
    "list_fees": SampleRequest(FEE_READERS),
    "add_fee": SampleRequest({"admin"}, body=build_fee),
    "void_fee": SampleRequest({"admin"}, make_new_fee, body=send_reason),
    "list_rooms": SampleRequest(DIRECTORY),
    "add_room": SampleRequest(ROOM_WRITERS, body=build_room),
    "list_free_rooms": SampleRequest(DIRECTORY, query=lambda _world: INSTANTS),
    "get_room_utilization": SampleRequest(DIRECTORY, query=lambda _world: SPAN),
    "get_room": SampleRequest(DIRECTORY, make_new_room),
    "change_room": SampleRequest(ROOM_WRITERS, make_new_room, send_field("capacity", 4), ROOM),
    "deactivate_room": SampleRequest(ROOM_WRITERS, make_new_room),
    "activate_room": SampleRequest(ROOM_WRITERS, make_new_room),
    "list_room_blocks": SampleRequest(DIRECTORY, make_new_room),
    "block_room": SampleRequest(ROOM_WRITERS, make_new_room, build_block),
    "unblock_room": SampleRequest(ROOM_WRITERS, make_room_block, body=send_reason),
    "list_windows": SampleRequest(SCHEDULE_READERS, pick_clinician),
    "add_window": SampleRequest(SCHEDULE_WRITERS, free_calendar, build_window),
    "change_window": SampleRequest(SCHEDULE_WRITERS, make_window, send_field("end_time", "12:30"), WINDOW),
    "void_window": SampleRequest(SCHEDULE_WRITERS, make_window, body=send_reason),
    "list_exceptions": SampleRequest(SCHEDULE_READERS, pick_clinician),
    "add_exception": SampleRequest(SCHEDULE_WRITERS, pick_clinician, build_exception),
    "change_exception": SampleRequest(
        SCHEDULE_WRITERS, make_exception, send_field("reason", "Moved"), ("availability_exceptions", "exception_id")
    ),
    "void_exception": SampleRequest(SCHEDULE_WRITERS, make_exception, body=send_reason),
    "list_meetings": SampleRequest(SCHEDULE_READERS, pick_clinician),
    "add_meeting": SampleRequest(SCHEDULE_WRITERS, pick_clinician, build_block),
    "void_meeting": SampleRequest(SCHEDULE_WRITERS, make_meeting, body=send_reason),
    "list_closures": SampleRequest(DIRECTORY),
    "add_closure": SampleRequest({"admin"}, body=build_closure),
    "void_closure": SampleRequest({"admin"}, make_closure, body=send_reason),
    "list_pay_rates": SampleRequest(PAY_READERS, pick_clinician),
    "set_pay_rate": SampleRequest({"admin"}, pick_clinician, build_pay_rate),
    "list_multipliers": SampleRequest(PAY_READERS),
    "set_multiplier": SampleRequest({"admin"}, body=build_multiplier),
}
