"""Sample requests of group sessions."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from practice.scheduling.models.appointments import GroupSession
from practice.store.ids import new_id
from tests.support.builders.schedule import make_service, put
from tests.support.drivers.operations import SampleRequest, World

FRONT_DESK = {"admin", "scheduler"}
READERS = {"admin", "supervisor", "clinician", "scheduler", "biller", "client"}


def make_group(world: World, _role: str | None) -> dict[str, UUID]:
    start = world.take_free_hour()
    group = GroupSession(
        id=new_id(),
        clinician_id=world.clinician_id,
        service_id=make_service(world.practice, kind="GROUP"),
        starts_at=start,
        ends_at=start + timedelta(hours=1),
        capacity=4,
        held=True,
        status="SCHEDULED",
    )
    put(world.practice, group)
    return {"group_session_id": group.id}


def build_group(world: World, _role: str | None) -> dict[str, Any]:
    code = f"G{new_id().hex[-8:]}"
    make_service(world.practice, code, kind="GROUP")
    return {
        "clinician_id": str(world.clinician_id),
        "service_code": code,
        "starts_at": world.take_free_hour().isoformat(),
    }


def build_group_series(world: World, role: str | None) -> dict[str, Any]:
    start = world.take_free_hour() + timedelta(days=600)  # far-away weeks, so that no two series overlap
    rule = {"rule": "FREQ=WEEKLY;COUNT=2", "skip_conflicts": True}
    return build_group(world, role) | {"starts_at": start.isoformat()} | rule


SAMPLE_REQUESTS = {
    "list_group_sessions": SampleRequest(READERS),
    "open_group_session": SampleRequest(FRONT_DESK, body=build_group),
    "open_group_series": SampleRequest(FRONT_DESK, body=build_group_series),
    "get_group_session": SampleRequest(READERS, make_group),
    "cancel_group_session": SampleRequest(FRONT_DESK, make_group, lambda _world, _role: {"reason": "Ill"}),
    "reschedule_group_session": SampleRequest(
        FRONT_DESK, make_group, lambda world, _role: {"starts_at": world.take_free_hour().isoformat()}
    ),
}
