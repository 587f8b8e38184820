"""Sample requests of the caller's own practice."""

from typing import Any

from tests.support.drivers.operations import SampleRequest, World

EVERY_STAFF = {"admin", "supervisor", "clinician", "scheduler", "biller", "analyst"}


def pick_practice(world: World, _role: str | None) -> dict[str, Any]:
    return {"practice_id": world.practice.id}


def build_change(_world: World, _role: str | None) -> dict[str, Any]:
    return {"name": "Oak Street Therapy", "npi": "1234567893", "tax_id": "12-3456789"}


SAMPLE_REQUESTS = {
    "get_own_practice": SampleRequest(EVERY_STAFF),
    "get_practice_setup": SampleRequest({"admin"}),
    "change_own_practice": SampleRequest(
        {"admin"}, pick_practice, build_change, versioned=("practices", "practice_id")
    ),
}
