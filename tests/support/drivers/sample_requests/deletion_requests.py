"""Sample requests of deletion requests."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import update

from practice.people.models.clients import DeletionRequest
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "scheduler", "client"}


def make_request(world: World, client_id: UUID, status: str) -> dict[str, Any]:
    request = DeletionRequest(id=new_id(), client_id=client_id, status=status, asked_at=world.practice.now)
    put(world.practice, request)
    return {"request_id": request.id}


def make_open_request(world: World, role: str | None) -> dict[str, Any]:
    if role == "client":
        close_open_requests(world)
        return make_request(world, world.client_id, "ASKED")
    return make_request(world, world.new_client(), "ASKED")


def make_approved_request(world: World, _role: str | None) -> dict[str, Any]:
    ended = make_client(world.practice, ended_on=date(2026, 1, 31), end_reason="DISCHARGED")
    return make_request(world, ended, "APPROVED")


def choose_client(world: World, role: str | None) -> dict[str, Any]:
    if role != "client":
        return {"client_id": str(world.new_client())}
    close_open_requests(world)
    return {"client_id": str(world.client_id)}


def close_open_requests(world: World) -> None:
    """Refuse the client's open requests: a client can have only one."""
    with world.practice.work() as work:
        closed = update(DeletionRequest).where(
            DeletionRequest.client_id == world.client_id, DeletionRequest.status == "ASKED"
        )
        work.db.execute(closed.values(status="REFUSED", refusal="Too early"))


SAMPLE_REQUESTS = {
    "list_deletion_requests": SampleRequest(READERS),
    "request_deletion": SampleRequest(READERS, body=choose_client),
    "get_deletion_request": SampleRequest(READERS, make_open_request),
    "review_deletion_request": SampleRequest({"admin"}, make_open_request, lambda _world, _role: {"approved": True}),
    "withdraw_deletion_request": SampleRequest(READERS, make_open_request, send_reason),
    "withdraw_deletion_approval": SampleRequest({"admin"}, make_approved_request),
    "redact_client": SampleRequest({"admin"}, make_approved_request),
}
