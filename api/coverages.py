"""Routes of insurance coverages and their eligibility checks."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext, Version
from api.fields import (
    AccountId,
    ClientId,
    Day,
    MoneyIn,
    MoneyOut,
    Name,
    RecordId,
    RecordVersion,
    Text40,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
from api.names import ClientName, PersonOf, from_record
from api.responses import Input, VoidIn
from api.routing import PermissionRouter
from practice.people import coverages
from practice.people.models.clients import Coverage, EligibilityCheck

router = PermissionRouter(tags=["coverages"])

Rank = Literal[1, 2, 3]


class CoverageIn(Input):
    """Both days are inclusive; without `ends_on` the coverage has no end."""

    model_config = example(
        rank=1,
        payer_id="60054",
        payer_name="Maple Health",
        member_id="M123456",
        effective_on="2026-01-01",
        copay="25.00",
    )

    rank: Annotated[Rank, describe("1 primary, 2 secondary, 3 tertiary.")]
    payer_id: Annotated[Text40, describe("The payer's id with the clearinghouse.")]
    payer_name: Annotated[Name, describe("Name of the payer.")]
    member_id: Annotated[Text40, describe("The client's id with the payer.")]
    group_number: Annotated[Text40 | None, describe("Number of the group plan.")] = None
    effective_on: Annotated[Day, describe("The first day on which it applies.")]
    ends_on: Annotated[Day | None, describe("The last day; null without an end.")] = None
    copay: Annotated[MoneyIn | None, describe("What the client pays for a session.")] = None


class CoverageChange(Input):
    """Only the fields sent are changed. Another payer or member id has to be verified again."""

    model_config = example(ends_on="2026-12-31")

    rank: Annotated[Rank, describe("1 primary, 2 secondary, 3 tertiary.")] = 1
    payer_id: Annotated[Text40, describe("The payer's id with the clearinghouse.")] = ""
    payer_name: Annotated[Name, describe("Name of the payer.")] = ""
    member_id: Annotated[Text40, describe("The client's id with the payer.")] = ""
    group_number: Annotated[Text40 | None, describe("Number of the group plan.")] = None
    effective_on: Annotated[Day, describe("The first day on which it applies.")] = date.min
    ends_on: Annotated[Day | None, describe("The last day on which it applies; null without an end.")] = None
    copay: Annotated[MoneyIn | None, describe("What the client pays for a session.")] = None


class CoverageOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    rank: Annotated[int, describe("1 primary, 2 secondary, 3 tertiary.")]
    payer_id: Annotated[str, describe("The payer's id with the clearinghouse.")]
    payer_name: Annotated[str, describe("Name of the payer.")]
    member_id: Annotated[str, describe("The client's id with the payer.")]
    group_number: Annotated[str | None, describe("Number of the group plan.")]
    effective_on: Annotated[date, describe("The first day on which it applies.")]
    ends_on: Annotated[date | None, describe("The last day on which it applies; null without an end.")]
    copay: Annotated[MoneyOut | None, describe("What the client pays for a session.")]
    verified_at: Annotated[datetime | None, describe("When the payer last confirmed it; null if never.")]
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, coverage: Coverage) -> "CoverageOut":
        return from_record(cls, coverage, copay=coverage.copay_cents)


class NewCoverageOut(CoverageOut):
    warnings: Annotated[list[str], describe("What to see to, although the booking is possible.")]


class CoveragesOut(BaseModel):
    items: Annotated[list[CoverageOut], describe("The records, in the order of the list.")]


class EligibilityOut(BaseModel):
    """`UNKNOWN` when the payer cannot be asked: call the payer, then mark the coverage as verified."""

    id: RecordId
    coverage_id: Annotated[UUID, describe("The coverage that was asked about.")]
    asked_at: Annotated[datetime, describe("When the payer was asked.")]
    asked_by: AccountId | None
    asked_by_person: PersonOf = None
    provider: Annotated[str, describe("The service that asked the payer.")]
    outcome: Annotated[str, describe("What the payer said.")]
    copay: Annotated[MoneyOut | None, describe("The copay by the payer.")]
    covered_until: Annotated[date | None, describe("The last day of coverage by the payer.")]
    payer_reference: Annotated[str | None, describe("The payer's reference of its answer.")]

    @classmethod
    def of(cls, check: EligibilityCheck) -> "EligibilityOut":
        return from_record(cls, check, copay=check.copay_cents)


class EligibilityChecksOut(BaseModel):
    items: Annotated[list[EligibilityOut], describe("The checks, latest first.")]


def rename_copay(values: dict) -> dict:
    """Return the values with `copay` named as its column, `copay_cents`."""
    return {"copay_cents" if name == "copay" else name: value for name, value in values.items()}


@router.get("/clients/{client_id}/coverages", permission="coverages.read")
def list_coverages(
    ctx: RequestContext,
    client_id: UUID,
    voided: Annotated[bool, Query(description="Also list voided coverages.")] = False,
) -> CoveragesOut:
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
