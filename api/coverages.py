"""Routes of insurance coverages and their eligibility checks."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext, Version
from api.fields import Day, MoneyIn, MoneyOut, Name, Text40
from api.names import ClientName, PersonOf, from_record
from api.responses import Input, VoidIn
from api.routing import PermissionRouter
from practice.people import coverages
from practice.people.models.clients import Coverage, EligibilityCheck

router = PermissionRouter(tags=["coverages"])

Rank = Literal[1, 2, 3]


class CoverageIn(Input):
    """Both days are inclusive; without `ends_on` the coverage has no end."""

    rank: Rank
    payer_id: Text40
    payer_name: Name
    member_id: Text40
    group_number: Text40 | None = None
    effective_on: Day
    ends_on: Day | None = None
    copay: MoneyIn | None = None


class CoverageChange(Input):
    """Only the fields sent are changed. Another payer or member id has to be verified again."""

    rank: Rank = 1
    payer_id: Text40 = ""
    payer_name: Name = ""
    member_id: Text40 = ""
    group_number: Text40 | None = None
    effective_on: Day = date.min
    ends_on: Day | None = None
    copay: MoneyIn | None = None


class CoverageOut(BaseModel):
    id: UUID
    client_id: UUID
    client_name: ClientName = None
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
    voided_by: UUID | None
    voided_by_person: PersonOf = None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, coverage: Coverage) -> "CoverageOut":
        return from_record(cls, coverage, copay=coverage.copay_cents)


class NewCoverageOut(CoverageOut):
    warnings: list[str]


class CoveragesOut(BaseModel):
    items: list[CoverageOut]


class EligibilityOut(BaseModel):
    """`UNKNOWN` when the payer cannot be asked: call the payer, then mark the coverage as verified."""

    id: UUID
    coverage_id: UUID
    asked_at: datetime
    asked_by: UUID | None
    asked_by_person: PersonOf = None
    provider: str
    outcome: str
    copay: MoneyOut | None
    covered_until: date | None
    payer_reference: str | None

    @classmethod
    def of(cls, check: EligibilityCheck) -> "EligibilityOut":
        return from_record(cls, check, copay=check.copay_cents)


class EligibilityChecksOut(BaseModel):
    items: list[EligibilityOut]


def rename_copay(values: dict) -> dict:
    """Return the values with `copay` named as its column, `copay_cents`."""
    return {"copay_cents" if name == "copay" else name: value for name, value in values.items()}


@router.get("/clients/{client_id}/coverages", permission="coverages.read")
def list_coverages(ctx: RequestContext, client_id: UUID, voided: Annotated[bool, Query()] = False) -> CoveragesOut:
    """List a client's coverages.

    By rank, latest first.
    """
    client_coverages = coverages.list_coverages(ctx.work, ctx.scope, client_id, voided=voided)
    return CoveragesOut(items=[CoverageOut.of(coverage) for coverage in client_coverages])


@router.post("/clients/{client_id}/coverages", permission="coverages.write", status_code=201)
def add_coverage(ctx: RequestContext, client_id: UUID, body: CoverageIn) -> NewCoverageOut:
    """Add a coverage.

    A client has at most one coverage of a rank on a day.
    """
    values = rename_copay(body.model_dump())
    coverage, warnings = coverages.add_coverage(ctx.work, ctx.scope, client_id, values)
    return NewCoverageOut(**CoverageOut.of(coverage).model_dump(), warnings=warnings)


@router.patch("/coverages/{coverage_id}", permission="coverages.write")
def change_coverage(ctx: RequestContext, coverage_id: UUID, version: Version, body: CoverageChange) -> CoverageOut:
    """Change a coverage."""
    changes = rename_copay(body.model_dump(exclude_unset=True))
    return CoverageOut.of(coverages.change_coverage(ctx.work, ctx.scope, coverage_id, version, changes))


@router.delete("/coverages/{coverage_id}", permission="coverages.write", status_code=204)
def void_coverage(ctx: RequestContext, coverage_id: UUID, body: VoidIn) -> None:
    """Void a coverage.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    coverages.void_coverage(ctx.work, ctx.scope, coverage_id, body.reason)


@router.post("/coverages/{coverage_id}/verify", permission="coverages.write")
def verify_coverage(ctx: RequestContext, coverage_id: UUID) -> CoverageOut:
    """Mark a coverage as verified."""
    return CoverageOut.of(coverages.verify_coverage(ctx.work, ctx.scope, coverage_id))


@router.post("/coverages/{coverage_id}/eligibility-check", permission="coverages.write")
def check_eligibility(ctx: RequestContext, coverage_id: UUID) -> EligibilityOut:
    """Check eligibility with the payer.

    Returns the last answer while it is fresh (a setting, by default a day).
    """
    return EligibilityOut.of(coverages.check_eligibility(ctx.work, ctx.scope, coverage_id))


@router.get("/coverages/{coverage_id}/eligibility-checks", permission="coverages.read")
def list_eligibility_checks(ctx: RequestContext, coverage_id: UUID) -> EligibilityChecksOut:
    """List eligibility checks of a coverage.

    Latest first.
    """
    checks = coverages.list_eligibility_checks(ctx.work, ctx.scope, coverage_id)
    return EligibilityChecksOut(items=[EligibilityOut.of(check) for check in checks])
