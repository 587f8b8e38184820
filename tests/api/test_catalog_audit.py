"""Whatever changes the catalogue, prices, rooms, hours or pay rates stands on the audit trail, once."""

from fastapi.testclient import TestClient
from sqlalchemy import func, select

from practice.security.installation import Installation
from practice.security.models import AuditEntry
from tests.support.drivers.operations import World, make_world, operations_of
from tests.support.drivers.sample_requests.catalog import SAMPLE_REQUESTS

SAME_AGAIN = {"activate_service", "activate_room"}  # what is active stays so: nothing happened


def entries(world: World) -> int:
    with world.practice.installation.store.session_in(world.practice.id) as db:
        return db.scalar(select(func.count()).select_from(AuditEntry)) or 0


def test_every_change_is_recorded_once(client: TestClient, installation: Installation) -> None:
    world = make_world(installation)
    walked = set()
    for operation in operations_of(client.get("/api/v1/openapi.json").json()):
        if operation.id in SAMPLE_REQUESTS and operation.method != "GET":
            request = operation.request(world, "admin")
            before = entries(world)
            answer = client.request(**request)
            assert answer.status_code < 300, (operation.id, answer.text)
            assert entries(world) - before == (operation.id not in SAME_AGAIN), operation.id
            walked.add(operation.id)
    assert len(walked) == sum(not name.startswith(("list_", "get_")) for name in SAMPLE_REQUESTS)
