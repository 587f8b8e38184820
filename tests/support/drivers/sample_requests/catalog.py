"""Requests about the catalogue, prices, fees, rooms, hours, closures and pay rates."""

from datetime import date, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import update

from practice.scheduling.models.availability import AvailabilityException, AvailabilityWindow, Block, Closure
from practice.scheduling.models.catalog import ClinicianService, Fee
from practice.store.ids import new_id
from tests.support.builders.schedule import make_room, make_service, put
from tests.support.drivers.operations import SampleRequest, World

DIRECTORY = {"admin", "supervisor", "clinician", "scheduler", "biller"}
FRONT = {"admin", "scheduler"}
BOOKERS = DIRECTORY | {"client"}
PAYERS = {"admin", "biller"}
PAID = {"admin", "supervisor", "clinician", "biller"}
SEEN = {"admin", "supervisor", "clinician", "scheduler"}
KEPT = {"admin", "clinician", "scheduler"}
WHY = {"reason": "Entered twice"}


def new_service(world: World, _role: str | None) -> dict[str, Any]:
    code = f"S{new_id().hex[-8:]}"
    return {"code": code, "service_id": make_service(world.practice, code)}


def service_in(_world: World, _role: str | None) -> dict[str, Any]:
    about = {"code": f"S{new_id().hex[-8:]}", "name": "Couples", "kind": "FAMILY", "cpt_code": "90847"}
    return about | {"minutes": 50, "rate": "160.00"}


def rate_in(_world: World, _role: str | None) -> dict[str, Any]:
    return {"rate": "155.50", "effective_on": "2026-04-01"}


def staff(world: World, _role: str | None) -> dict[str, Any]:
    return {"staff_id": world.clinician_id}


def own_price(world: World, role: str | None) -> dict[str, Any]:
    ids = new_service(world, role)
    own = ClinicianService(id=new_id(), clinician_id=world.clinician_id, service_id=ids["service_id"], minutes=45)
    put(world.practice, own)
    return ids | {"staff_id": world.clinician_id, "price_id": own.id}


def terms(_world: World, _role: str | None) -> dict[str, Any]:
    return {"minutes": 40, "price": "120.00"}


def fee_in(world: World, role: str | None) -> dict[str, Any]:
    code = new_service(world, role)["code"]
    return {"payer_id": "MADEUP", "service": code, "clinician_id": str(world.clinician_id), "rate": "98.10"}


def new_fee(world: World, _role: str | None) -> dict[str, Any]:
    fee = Fee(id=new_id(), payer_id="MADEUP", service_id=world.service_id, rate_cents=9810, set_at=world.practice.now)
    put(world.practice, fee)
    return {"fee_id": fee.id}


def new_room(world: World, _role: str | None) -> dict[str, Any]:
    return {"room_id": make_room(world.practice)}


def room_in(_world: World, _role: str | None) -> dict[str, Any]:
    return {"name": "Blue", "capacity": 3, "equipment": ["whiteboard", "sink"]}


def hour(world: World, _role: str | None) -> dict[str, Any]:
    start = world.free_hour() + timedelta(days=365)
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat(), "reason": "Painting"}


def new_block(world: World, **of: Any) -> dict[str, Any]:
    start = world.free_hour() + timedelta(days=365)
    block = Block(id=new_id(), starts_at=start, ends_at=start + timedelta(hours=1), **of)
    put(world.practice, block)
    return {"block_id": block.id}


def room_block(world: World, role: str | None) -> dict[str, Any]:
    ids = new_room(world, role)
    return ids | new_block(world, **ids)


def meeting(world: World, _role: str | None) -> dict[str, Any]:
    return {"staff_id": world.clinician_id} | new_block(world, clinician_id=world.clinician_id)


FAR = date(2100, 1, 3)  # until then the clinician's hours are taken up by those that the world gave them
LATER = count(1)


def a_day() -> dict[str, str]:
    """One that no other of these requests is about."""
    day = (FAR + timedelta(days=next(LATER))).isoformat()
    return {"effective_on": day, "ends_on": day}


def window_in(_world: World, _role: str | None) -> dict[str, Any]:
    return {"weekday": 1, "start_time": "09:00", "end_time": "12:00", **a_day()}


def open_calendar(world: World, role: str | None) -> dict[str, Any]:
    with world.practice.installation.store.session_in(world.practice.id) as db:
        db.execute(update(AvailabilityWindow).where(AvailabilityWindow.ends_on.is_(None)).values(ends_on=FAR))
    return staff(world, role)


def new_window(world: World, role: str | None) -> dict[str, Any]:
    ids = open_calendar(world, role)
    day = date.fromisoformat(a_day()["effective_on"])
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


def exception_in(_world: World, _role: str | None) -> dict[str, Any]:
    return {"on_date": "2026-12-24", "available": False, "start_time": "12:00", "end_time": "17:00", "reason": "Party"}


def new_exception(world: World, _role: str | None) -> dict[str, Any]:
    exception = AvailabilityException(
        id=new_id(), clinician_id=world.clinician_id, on_date=date(2026, 12, 24), available=False
    )
    put(world.practice, exception)
    return {"staff_id": world.clinician_id, "exception_id": exception.id}


def closure_in(_world: World, _role: str | None) -> dict[str, Any]:
    return {"closed_on": a_day()["effective_on"], "reason": "Holiday"}


def new_closure(world: World, role: str | None) -> dict[str, Any]:
    closed_on = date.fromisoformat(a_day()["effective_on"])
    put(world.practice, Closure(id=new_id(), closed_on=closed_on))
    return {"closed_on": closed_on}


def pay_rate_in(_world: World, _role: str | None) -> dict[str, Any]:
    return {"rate": "62.50", "effective_on": "2026-01-01"}


def multiplier_in(world: World, _role: str | None) -> dict[str, Any]:
    about = {"kind": "GROUP", "multiplier": "1.75", "effective_on": "2026-01-01"}
    return about | {"staff_id": str(world.clinician_id)}


def one(key: str, value: Any) -> Any:
    return lambda _world, _role: {key: value}


SPAN = {"from": "2026-03-01", "to": "2026-03-31"}
INSTANTS = {"from": "2026-03-20T14:00:00Z", "to": "2026-03-20T15:00:00Z"}
SERVICE = ("services", "service_id")
ROOM = ("rooms", "room_id")
WINDOW = ("availability_windows", "window_id")

SAMPLE_REQUESTS = {
    "list_services": SampleRequest(BOOKERS),
    "add_service": SampleRequest({"admin"}, body=service_in),
    "get_service": SampleRequest(BOOKERS, new_service),
    "change_service": SampleRequest({"admin"}, new_service, one("minutes", 55), SERVICE),
    "deactivate_service": SampleRequest({"admin"}, new_service),
    "activate_service": SampleRequest({"admin"}, new_service),
    "list_service_rates": SampleRequest(DIRECTORY, new_service),
    "set_service_rate": SampleRequest({"admin"}, new_service, rate_in),
    "list_clinicians": SampleRequest(BOOKERS),
    "list_prices": SampleRequest(BOOKERS, staff),
    "get_price": SampleRequest(BOOKERS, own_price),
    "set_price": SampleRequest({"admin"}, own_price, terms, ("clinician_services", "price_id")),
    "reset_price": SampleRequest({"admin"}, own_price, query=lambda _world: WHY),
    "list_fees": SampleRequest(PAYERS | {"supervisor"}),
    "set_fee": SampleRequest(PAYERS, body=fee_in),
    "void_fee": SampleRequest(PAYERS, new_fee, query=lambda _world: WHY),
    "list_rooms": SampleRequest(DIRECTORY),
    "add_room": SampleRequest(FRONT, body=room_in),
    "list_free_rooms": SampleRequest(DIRECTORY, query=lambda _world: INSTANTS),
    "get_room_utilisation": SampleRequest(DIRECTORY, query=lambda _world: SPAN),
    "get_room": SampleRequest(DIRECTORY, new_room),
    "change_room": SampleRequest(FRONT, new_room, one("capacity", 4), ROOM),
    "deactivate_room": SampleRequest(FRONT, new_room),
    "activate_room": SampleRequest(FRONT, new_room),
    "list_room_blocks": SampleRequest(DIRECTORY, new_room),
    "block_room": SampleRequest(FRONT, new_room, hour),
    "unblock_room": SampleRequest(FRONT, room_block, query=lambda _world: WHY),
    "list_windows": SampleRequest(SEEN, staff),
    "add_window": SampleRequest(KEPT, open_calendar, window_in),
    "change_window": SampleRequest(KEPT, new_window, one("end_time", "12:30"), WINDOW),
    "void_window": SampleRequest(KEPT, new_window, query=lambda _world: WHY),
    "list_exceptions": SampleRequest(SEEN, staff),
    "add_exception": SampleRequest(KEPT, staff, exception_in),
    "change_exception": SampleRequest(
        KEPT, new_exception, one("reason", "Moved house"), ("availability_exceptions", "exception_id")
    ),
    "void_exception": SampleRequest(KEPT, new_exception, query=lambda _world: WHY),
    "list_meetings": SampleRequest(SEEN, staff),
    "add_meeting": SampleRequest(KEPT, staff, hour),
    "void_meeting": SampleRequest(KEPT, meeting, query=lambda _world: WHY),
    "list_closures": SampleRequest(DIRECTORY),
    "add_closure": SampleRequest({"admin"}, body=closure_in),
    "void_closure": SampleRequest({"admin"}, new_closure, query=lambda _world: WHY),
    "list_pay_rates": SampleRequest(PAID, staff),
    "set_pay_rate": SampleRequest({"admin"}, staff, pay_rate_in),
    "list_multipliers": SampleRequest(PAID),
    "set_multiplier": SampleRequest({"admin"}, body=multiplier_in),
}
