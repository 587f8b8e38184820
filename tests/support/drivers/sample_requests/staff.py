"""Sample requests of staff: invitations, rehiring, trainings."""

from datetime import date
from typing import Any

from practice.people.staff import add_staff, deactivate_staff
from practice.people.trainings import record_training
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.drivers.operations import SampleRequest, World, send_reason

RETURNED_ON = date(2026, 3, 18)
EVERY_STAFF = {"admin", "supervisor", "clinician", "scheduler", "biller", "analyst"}


def make_staff(world: World, _role: str | None) -> dict[str, Any]:
    """Add a staff member who has not accepted their invitation."""
    with world.practice.work() as work:
        added = add_staff(
            work,
            email=f"kim-{new_id()}@example.com",
            first_name="Kim",
            last_name="Doe",
            roles=["biller"],
            hired_on=date(2025, 1, 6),
        )
        return {"staff_id": added.staff.id}


def make_former_staff(world: World, role: str | None) -> dict[str, Any]:
    """Add a staff member who has left."""
    ids = make_staff(world, role)
    with world.practice.work() as work:
        deactivate_staff(work, ids["staff_id"], date(2026, 1, 30))
    return ids


def make_own_training(world: World, role: str | None) -> dict[str, Any]:
    """Record a training of the caller, or for an admin of somebody else."""
    staff_id = world.people[role].staff_id if role in EVERY_STAFF - {"admin"} else world.spare.staff_id
    with world.practice.work() as work:
        training = record_training(work, Scope.ALL, staff_id, "OTHER", RETURNED_ON)
        return {"staff_id": staff_id, "training_id": training.id}


SAMPLE_REQUESTS = {
    "void_training": SampleRequest(EVERY_STAFF, make_own_training, send_reason),
    "invite_staff": SampleRequest({"admin"}, make_staff),
    "rehire_staff": SampleRequest(
        {"admin"}, make_former_staff, lambda _world, _role: {"returned_on": RETURNED_ON.isoformat()}
    ),
}
