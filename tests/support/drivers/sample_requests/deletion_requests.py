"""Requests about requests to be forgotten."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import update

from practice.people.models.clients import DeletionRequest
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.operations import SampleRequest, World

READERS = {"admin", "scheduler", "client"}


def request_of(world: World, client_id: UUID, status: str) -> dict[str, Any]:
    request = DeletionRequest(id=new_id(), client_id=client_id, status=status, asked_at=world.practice.now)
    put(world.practice, request)
    return {"request_id": request.id}


def asked(world: World, role: str | None) -> dict[str, Any]:
    if role == "client":
        close_open(world)
        return request_of(world, world.client_id, "ASKED")
    return request_of(world, world.new_client(), "ASKED")


def approved(world: World, _role: str | None) -> dict[str, Any]:
    ended = make_client(world.practice, ended_on=date(2026, 1, 31), end_reason="DISCHARGED")
    return request_of(world, ended, "APPROVED")


def whose(world: World, role: str | None) -> dict[str, Any]:
    if role != "client":
        return {"client_id": str(world.new_client())}
    close_open(world)
    return {"client_id": str(world.client_id)}


def close_open(world: World) -> None:
    """A client has one open request at a time."""
    with world.practice.work() as work:
        closed = update(DeletionRequest).where(
            DeletionRequest.client_id == world.client_id, DeletionRequest.status == "ASKED"
        )
        work.db.execute(closed.values(status="REFUSED", refusal="Too early"))


SAMPLE_REQUESTS = {
    "list_deletion_requests": SampleRequest(READERS),
    "ask_for_deletion": SampleRequest(READERS, body=whose),
    "get_deletion_request": SampleRequest(READERS, asked),
    "review_deletion_request": SampleRequest({"admin"}, asked, lambda _world, _role: {"approved": True}),
    "redact_client": SampleRequest({"admin"}, approved),
}
