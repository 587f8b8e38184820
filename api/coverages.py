"""What covers a client's treatment, and whether the payer says so too."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext, Version
from api.fields import Day, MoneyIn, MoneyOut, Name, Short, Why
from api.responses import Input
from api.routing import PermissionRouter
from practice.people import coverages
from practice.people.models.clients import Coverage, EligibilityCheck

router = PermissionRouter(tags=["coverages"])

Rank = Literal[1, 2, 3]


class CoverageIn(Input):
    """Both days count; without a last one it goes on."""

    rank: Rank
    payer_id: Short
    payer_name: Name
    member_id: Short
    group_number: Short | None = None
    effective_on: Day
    ends_on: Day | None = None
    copay: MoneyIn | None = None


class CoverageChange(Input):
    """Only what is sent is changed. Another payer or member id is yet to be verified."""

    rank: Rank = 1
    payer_id: Short = ""
    payer_name: Name = ""
    member_id: Short = ""
    group_number: Short | None = None
    effective_on: Day = date.min
    ends_on: Day | None = None
    copay: MoneyIn | None = None


class CoverageOut(BaseModel):
    id: UUID
    client_id: UUID
    rank: int
    payer_id: str
    payer_name: str
    member_id: str
    group_number: str | None
    effective_on: date
    ends_on: date | None
    copay: MoneyOut | None
    verified_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, coverage: Coverage) -> "CoverageOut":
        plain = {name: getattr(coverage, name) for name in cls.model_fields if name != "copay"}
        return cls(**plain, copay=coverage.copay_cents)


class CoveragesOut(BaseModel):
    items: list[CoverageOut]


class EligibilityOut(BaseModel):
    """`UNKNOWN` where nobody can be asked: call the payer, then mark the coverage as verified."""

    id: UUID
    coverage_id: UUID
    asked_at: datetime
    asked_by: UUID | None
    provider: str
    outcome: str
    copay: MoneyOut | None
    covered_until: date | None
    payer_reference: str | None

    @classmethod
    def of(cls, check: EligibilityCheck) -> "EligibilityOut":
        plain = {name: getattr(check, name) for name in cls.model_fields if name != "copay"}
        return cls(**plain, copay=check.copay_cents)


class EligibilityChecksOut(BaseModel):
    items: list[EligibilityOut]


def in_cents(about: dict) -> dict:
    return {"copay_cents" if name == "copay" else name: value for name, value in about.items()}


@router.get("/clients/{client_id}/coverages", permission="coverages.read")
def list_coverages(ctx: RequestContext, client_id: UUID, voided: Annotated[bool, Query()] = False) -> CoveragesOut:
    """What covers a client's treatment, by rank, the latest first."""
    found = coverages.list_coverages(ctx.work, ctx.scope, client_id, voided=voided)
    return CoveragesOut(items=[CoverageOut.of(coverage) for coverage in found])


@router.post("/clients/{client_id}/coverages", permission="coverages.write", status_code=201)
def add_coverage(ctx: RequestContext, client_id: UUID, body: CoverageIn) -> CoverageOut:
    """Add a coverage. On one day there is one of a rank."""
    about = in_cents(body.model_dump())
    return CoverageOut.of(coverages.add_coverage(ctx.work, ctx.scope, client_id, about))


@router.patch("/coverages/{coverage_id}", permission="coverages.write")
def change_coverage(ctx: RequestContext, coverage_id: UUID, version: Version, body: CoverageChange) -> CoverageOut:
    """Change a coverage."""
    changes = in_cents(body.model_dump(exclude_unset=True))
    return CoverageOut.of(coverages.change_coverage(ctx.work, ctx.scope, coverage_id, version, changes))


@router.delete("/coverages/{coverage_id}", permission="coverages.write", status_code=204)
def void_coverage(ctx: RequestContext, coverage_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take back a coverage that was entered by mistake. It stays on record; the reason names nobody."""
    coverages.void_coverage(ctx.work, ctx.scope, coverage_id, reason)


@router.post("/coverages/{coverage_id}/verify", permission="coverages.write")
def verify_coverage(ctx: RequestContext, coverage_id: UUID) -> CoverageOut:
    """Somebody has made sure of the coverage, now."""
    return CoverageOut.of(coverages.verify_coverage(ctx.work, ctx.scope, coverage_id))


@router.post("/coverages/{coverage_id}/eligibility-check", permission="coverages.write")
def check_eligibility(ctx: RequestContext, coverage_id: UUID) -> EligibilityOut:
    """Ask the payer, or tell the last answer while it is fresh (a setting: a day)."""
    return EligibilityOut.of(coverages.check_eligibility(ctx.work, ctx.scope, coverage_id))


@router.get("/coverages/{coverage_id}/eligibility-checks", permission="coverages.read")
def list_eligibility_checks(ctx: RequestContext, coverage_id: UUID) -> EligibilityChecksOut:
    """What the payer answered, latest first."""
    found = coverages.list_eligibility_checks(ctx.work, ctx.scope, coverage_id)
    return EligibilityChecksOut(items=[EligibilityOut.of(check) for check in found])
