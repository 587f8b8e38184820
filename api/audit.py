"""Routes of the audit log: search and verification."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import Instant, Text40, describe
from api.filters import DaysQuery
from api.names import PersonOf, from_record
from api.responses import PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.people.practice_time import span_of_days
from practice.security import audit
from practice.security.models import AuditEntry

router = PermissionRouter(prefix="/audit", tags=["audit"])


class AuditQuery(DaysQuery):
    action: Annotated[Text40 | None, describe("Only this action, such as `client.read`.")] = None
    account_id: Annotated[UUID | None, describe("Only actions of this account.")] = None
    subject_id: Annotated[
        UUID | None, describe("Only about this record; for a client also the lists that showed them.")
    ] = None
    since: Annotated[Instant | None, Field(description="At this instant or later.")] = None
    until: Annotated[Instant | None, Field(description="Before this instant.")] = None


class AuditEntryOut(BaseModel):
    seq: Annotated[int, describe("The number of the entry in the practice's log.")]
    at: Annotated[datetime, describe("When it happened.")]
    account_id: Annotated[UUID | None, describe("Who did it; null for the system.")]
    person: PersonOf = None
    session_id: Annotated[UUID | None, describe("In which sign-in session.")]
    request_id: Annotated[str | None, describe("The `X-Request-ID` of the request.")]
    action: Annotated[str, describe("What was done.")]
    subject_kind: Annotated[str | None, describe("What kind of record it concerned.")]
    subject_id: Annotated[UUID | None, describe("The record it concerned.")]
    details: Annotated[dict[str, Any], describe("More about it; never names or texts of clients.")]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryOut":
        return from_record(cls, entry)


class ChainOut(BaseModel):
    entries: Annotated[int, describe("The number of entries in the log.")]
    intact: Annotated[bool, describe("Whether nothing was altered.")]
    problems: Annotated[list[str], describe("What does not match, and from which entry on.")]


AuditEntryInList: Any = partial_model(AuditEntryOut)


@router.get("", permission="audit.read")
def search_audit_log(ctx: RequestContext, query: Annotated[AuditQuery, Query()]) -> PageOut[AuditEntryInList]:
    """Search the audit log.

    Newest entries first; `sort=seq` returns the oldest first.
    """
    filters = {name: getattr(query, name) for name in ("action", "account_id", "subject_id")}
    since, until = span_of_days(ctx.work, query.first, query.last, query.since, query.until)
    return to_page(audit.search(ctx.work, query.page_request(), since=since, until=until, **filters), AuditEntryOut)


@router.post("/verify", permission="audit.read", errors=[audit.VerificationInProgress])
def verify_audit_log(ctx: RequestContext) -> ChainOut:
    """Verify the audit log.

    Recomputes the hash chain and compares it with the anchors stored outside the database.
    """
    audit.refuse_concurrent_verification(ctx.work.db)
    report = audit.verify_chain(ctx.work.db, ctx.work.tenant_id, ctx.installation.anchors)
    ctx.work.record("audit.verified", problems=len(report.problems))
    return ChainOut(entries=report.entries, intact=not report.problems, problems=report.problems)
