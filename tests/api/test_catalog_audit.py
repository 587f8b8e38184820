"""Each change of the catalog, prices, rooms, hours or pay rates is audited once."""

from fastapi.testclient import TestClient
from sqlalchemy import func, select

from practice.security.installation import Installation
from practice.security.models import AuditEntry
from tests.support.drivers.operations import World, list_operations, make_world
from tests.support.drivers.sample_requests.catalog import SAMPLE_REQUESTS

IDEMPOTENT = {"activate_service", "activate_room"}  # activating what is active changes nothing


def count_entries(world: World) -> int:
    with world.practice.installation.store.begin_session(world.practice.id) as db:
        changes = AuditEntry.action.not_like("%.listed")  # a closure also lists the visits concerned
        return db.scalar(select(func.count()).where(changes)) or 0


def test_every_change_is_recorded_once(client: TestClient, installation: Installation) -> None:
    world = make_world(installation)
    called = set()
    for operation in list_operations(client.get("/api/v1/openapi.json").json()):
        if operation.id in SAMPLE_REQUESTS and operation.method != "GET":
            request = operation.request(world, "admin")
            before = count_entries(world)
            response = client.request(**request)
            assert response.status_code < 300, (operation.id, response.text)
            assert count_entries(world) - before == (operation.id not in IDEMPOTENT), operation.id
            called.add(operation.id)
    assert len(called) == sum(not name.startswith(("list_", "get_")) for name in SAMPLE_REQUESTS)
