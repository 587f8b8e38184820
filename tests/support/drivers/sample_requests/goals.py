"""Sample requests of performance goals."""

from datetime import date
from decimal import Decimal
from typing import Any

from practice.people.models.records import Goal
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "supervisor", "clinician"}
WRITERS = {"admin", "supervisor"}


def make_goal(world: World, _role: str | None) -> dict[str, Any]:
    goal = Goal(
        id=new_id(),
        staff_id=world.clinician_id,
        metric_key="rebook_rate",
        target=Decimal(80),
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 3, 31),
        created_at=world.practice.now,
    )
    put(world.practice, goal)
    return {"goal_id": goal.id}


def build_goal(world: World, _role: str | None) -> dict[str, Any]:
    span = {"starts_on": "2026-03-01", "ends_on": "2026-03-31"}
    return {"staff_id": str(world.clinician_id), "metric_key": "no_show_rate", "target": "7.5"} | span


SAMPLE_REQUESTS = {
    "list_goals": SampleRequest(READERS),
    "set_goal": SampleRequest(WRITERS, body=build_goal),
    "get_goal": SampleRequest(READERS, make_goal),
    "change_goal": SampleRequest(
        WRITERS, make_goal, lambda _world, _role: {"target": "85"}, versioned=("goals", "goal_id")
    ),
    "void_goal": SampleRequest(WRITERS, make_goal, body=send_reason),
}
