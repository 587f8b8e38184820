"""Idempotency keys: a repeated POST gets the first one's response, stored in the transaction of its effect."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid5

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import Table, and_, exists, false, func, or_, select, text, union
from starlette.datastructures import UploadFile

from api.context import RequestContext
from api.errors import KeyReused
from api.responses import json_response
from practice.clinical.models.notes import Note
from practice.clinical.notes.queries import is_readable, sees_drafts
from practice.errors import NotFound
from practice.people.access import visible_clients, visible_staff
from practice.people.models.clients import Client, DeletionRequest
from practice.people.models.practices import Staff
from practice.security.installation import Installation
from practice.security.models import StoredAnswer
from practice.security.permissions import find_scope
from practice.security.work import Work
from practice.store.base import load_tables
from practice.store.ids import SYSTEM_TENANT

RESPONSE_RETENTION = timedelta(hours=24)  # how long a repeated request gets the first response


def fingerprint(installation: Installation, request: Request, arguments: dict[str, Any]) -> bytes:
    """Return a keyed hash of the request. Without the key its few possible contents could be guessed from it."""
    digest = hmac.new(
        installation.fingerprint_key, f"{request.method} {request.url.path}?{request.url.query}".encode(), "sha256"
    )
    for name, value in sorted(arguments.items()):
        digest.update(f"\n{name}=".encode())
        digest.update(fingerprint_bytes(value))
    return digest.digest()


def fingerprint_bytes(value: Any) -> bytes:
    """Return the bytes of one argument that its fingerprint is computed from; of a file its name and hash."""
    if isinstance(value, UploadFile):
        content = hashlib.file_digest(value.file, "sha256").digest()
        value.file.seek(0)
        return repr(value.filename).encode() + content
    return value.model_dump_json().encode() if isinstance(value, BaseModel) else repr(value).encode()


def stored_answer_id(work: Work, key: str) -> UUID:
    """Return the row id of an account's key."""
    return uuid5(work.actor.account_id or SYSTEM_TENANT, key)


def reserve_key(work: Work, key: str, request_hash: bytes) -> StoredAnswer | None:
    """Reserve the key and return None, or return its stored answer. A second concurrent request waits here."""
    row_id = stored_answer_id(work, key)
    parameters = {
        "tenant_id": work.tenant_id,
        "id": row_id,
        "hash": request_hash,
        "now": work.now,
        "kept_for": RESPONSE_RETENTION,
    }
    work.db.execute(
        text("delete from stored_answers where tenant_id = :tenant_id and id = :id and created_at <= :now - :kept_for"),
        parameters,
    )
    reserved = work.db.execute(
        text("""
            insert into stored_answers (tenant_id, id, request_hash, created_at) values (:tenant_id, :id, :hash, :now)
            on conflict do nothing returning id
        """),
        parameters,
    ).one_or_none()
    if reserved is not None:
        return None
    stored = work.db.get_one(StoredAnswer, (work.tenant_id, row_id))
    if stored.request_hash != request_hash:
        raise KeyReused("This Idempotency-Key was used for another request. Use a new key for a new request.")
    return stored


def replay(ctx: RequestContext, operation: str, arguments: dict[str, Any], stored: StoredAnswer) -> Response:
    """Return the stored response.

    The caller's permission has been checked as for any request; here, that they still see the clients, notes or staff
    that the response is about.
    """
    body = ctx.work.unseal("stored_answers", "answer", stored.id, stored.answer) or ""
    content = json.loads(body) if body else {}
    require_readable_notes(ctx, list_ids(content), list_ids(arguments), stored.created_at)
    record_replay(ctx, operation, list_ids([content, arguments]), stored.created_at)
    response = json_response(body, stored.status or 200, content.get("version"))
    response.headers["Idempotency-Replayed"] = "true"
    return response


def record_replay(ctx: RequestContext, operation: str, ids: set[UUID], answered_at: datetime) -> None:
    """Record the replay for each client that these ids name, themselves or by one of their records.

    Raise NotFound if one is no longer visible, or has been redacted since the response. A response about no client is
    about staff, if it names any: then all of them have to be visible.
    """
    work = ctx.work
    of_records = union(
        *(
            select(table.c.client_id).where(table.c.tenant_id == work.tenant_id, table.c.id.in_(ids))
            for table in list_client_records()
        )
    )
    is_redacted = exists().where(
        DeletionRequest.tenant_id == work.tenant_id,
        DeletionRequest.client_id == Client.id,
        DeletionRequest.redacted_at > answered_at,
    )
    is_available = and_(visible_clients(work, ctx.scope, Client.id), ~is_redacted).label("available")
    query = select(Client.id, is_available).where(Client.tenant_id == work.tenant_id)
    clients = work.db.execute(query.where(or_(Client.id.in_(ids), Client.id.in_(of_records)))).all()
    if not all(client.available for client in clients):
        raise NotFound
    for client in clients:
        work.record("request.replayed", "client", client.id, operation=operation)
    if not clients:
        require_visible_staff(ctx, ids)
        work.record("request.replayed", operation=operation)


@cache
def list_client_records() -> list[Table]:
    """Return the tables of records that each belong to a client."""
    return [table for table in load_tables() if {"tenant_id", "id", "client_id"} <= set(table.columns.keys())]


def require_readable_notes(ctx: RequestContext, shown: set[UUID], named: set[UUID], answered_at: datetime) -> None:
    """Raise NotFound if the caller can no longer read one of the notes as the response shows it.

    The author, the supervisor and admins read all of it. Others read a note that was signed by then, but not the
    response to a step that named it, which shows its review.
    """
    work = ctx.work
    scope = find_scope(work.actor.roles, "notes", "read")
    if scope is None:
        return
    is_signed = and_(is_readable(work, scope), Note.signed_at <= answered_at, Note.id.not_in(named))
    is_known = or_(sees_drafts(work, scope), func.coalesce(is_signed, false()))
    query = select(Note.id).where(Note.tenant_id == work.tenant_id, Note.id.in_(shown | named), ~is_known)
    if work.db.scalar(query.limit(1)) is not None:
        raise NotFound


def require_visible_staff(ctx: RequestContext, ids: set[UUID]) -> None:
    """Raise NotFound if one of these ids is of a staff member whom the caller no longer sees, such as a supervisee."""
    work = ctx.work
    staff = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(ids))
    if work.actor.staff_id is not None and work.db.scalar(staff.where(~visible_staff(work, ctx.scope, Staff.id))):
        raise NotFound


def list_ids(content: Any) -> set[UUID]:
    """Return all ids in a JSON document or in arguments of a route."""
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json")
    if isinstance(content, dict | list):
        return set().union(*map(list_ids, content.values() if isinstance(content, dict) else content))
    try:
        return {UUID(str(content))}
    except ValueError:
        return set()


def store_response(work: Work, key: str, response: Response) -> None:
    """Store the response under the reserved key."""
    stored = work.db.get_one(StoredAnswer, (work.tenant_id, stored_answer_id(work, key)))
    stored.status = response.status_code
    stored.answer = work.seal("stored_answers", "answer", stored.id, bytes(response.body).decode())
