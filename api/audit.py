"""Routes of the audit log: search and verification."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import Instant, Text40
from api.filters import DaysQuery
from api.names import PersonOf, from_record
from api.responses import PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.people.practice_time import span_of_days
from practice.security import audit
from practice.security.models import AuditEntry

router = PermissionRouter(prefix="/audit", tags=["audit"])


class AuditQuery(DaysQuery):
    action: Text40 | None = None
    account_id: UUID | None = None
    subject_id: UUID | None = None
    since: Annotated[Instant | None, Field(description="At this instant or later.")] = None
    until: Annotated[Instant | None, Field(description="Before this instant.")] = None


class EntryOut(BaseModel):
    seq: int
    at: datetime
    account_id: UUID | None
    person: PersonOf = None
    session_id: UUID | None
    request_id: str | None
    action: str
    subject_kind: str | None
    subject_id: UUID | None
    details: dict[str, Any]

    @classmethod
    def of(cls, entry: AuditEntry) -> "EntryOut":
        return from_record(cls, entry)


class ChainOut(BaseModel):
    entries: int
    intact: bool
    problems: list[str]


EntryInList: Any = partial_model(EntryOut)


@router.get("", permission="audit.read")
def search_audit_log(ctx: RequestContext, query: Annotated[AuditQuery, Query()]) -> PageOut[EntryInList]:
    """Search the audit log.

    Newest entries first; `sort=seq` returns the oldest first.
    """
    filters = {name: getattr(query, name) for name in ("action", "account_id", "subject_id")}
    since, until = span_of_days(ctx.work, query.first, query.last, query.since, query.until)
    return to_page(audit.search(ctx.work, query.page_request(), since=since, until=until, **filters), EntryOut)


@router.post("/verify", permission="audit.read", errors=[audit.VerificationInProgress])
def verify_audit_log(ctx: RequestContext) -> ChainOut:
    """Verify the audit log.

    Recomputes the hash chain and compares it with the anchors stored outside the database.
    """
    audit.refuse_concurrent_verification(ctx.work.db)
    report = audit.verify_chain(ctx.work.db, ctx.work.tenant_id, ctx.installation.anchors)
    ctx.work.record("audit.verified", problems=len(report.problems))
    return ChainOut(entries=report.entries, intact=not report.problems, problems=report.problems)
