"""The audit log: searching it and verifying it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.answers import PageOut, page_out, some_of
from api.deps import Desk, Paging, endpoint
from api.fields import Short
from practice.security import audit
from practice.security.models import AuditEntry

router = APIRouter(prefix="/audit", tags=["audit"])


class EntryOut(BaseModel):
    seq: int
    at: datetime
    account_id: UUID | None
    session_id: UUID | None
    request_id: str | None
    action: str
    subject_kind: str | None
    subject_id: UUID | None
    details: dict[str, Any]

    @classmethod
    def of(cls, entry: AuditEntry) -> "EntryOut":
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class ChainOut(BaseModel):
    entries: int
    intact: bool
    problems: list[str]


EntryInList: Any = some_of(EntryOut)


@endpoint(router, "GET", "", may="audit.read")
def search_audit_log(
    desk: Desk,
    page: Paging,
    action: Annotated[Short | None, Query()] = None,
    account_id: Annotated[UUID | None, Query()] = None,
    subject_id: Annotated[UUID | None, Query()] = None,
    since: Annotated[datetime | None, Query()] = None,
    until: Annotated[datetime | None, Query()] = None,
) -> PageOut[EntryInList]:
    """Who did what, when, latest first (sort=seq: earliest first)."""
    found = audit.search(
        desk.work, page.asked(), action=action, account_id=account_id, subject_id=subject_id, since=since, until=until
    )
    return page_out(found, EntryOut.of)


@endpoint(router, "POST", "/verify", may="audit.read")
def verify_audit_log(desk: Desk) -> ChainOut:
    """Recompute the whole chain and hold it against the anchors outside the database."""
    report = audit.verify_chain(desk.work.db, desk.work.tenant_id, desk.house.anchors)
    desk.work.record("audit.verified", problems=len(report.problems))
    return ChainOut(entries=report.entries, intact=not report.problems, problems=report.problems)
