"""Routes of treatment plans and their reviews, and of the review status of treatment and safety plans."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import Reason, RequestContext, Version
from api.fields import (
    EXAMPLE_ID,
    AccountId,
    ClientId,
    CreatedAt,
    Day,
    RecordId,
    RecordVersion,
    Text40,
    Text4000,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
from api.names import ClientName, PersonOf, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.clinical.errors import NotYours
from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.clinical.plans import plans, review_status, safety_plans
from practice.clinical.plans.plans import BegunPlan, FirstReview, PlanFilters, ReviewView
from practice.clinical.plans.review_status import PlanStatus
from practice.clinical.plans.rules import PlanState, SafetyState
from practice.clinical.plans.safety_plans import SafetyPlanStatus
from practice.store.pages import PageRequest

router = PermissionRouter(tags=["plans"])


class PlanIn(Input):
    """`kind` is the practice's own name for the treatment, such as CBT. `starts_on` defaults to today."""

    model_config = example(client_id=EXAMPLE_ID, kind="CBT", starts_on="2026-03-18")

    client_id: ClientId
    kind: Annotated[Text40, describe("The practice's own name for the treatment, such as CBT.")]
    starts_on: Annotated[Day | None, describe("The first day of the plan; left out, today.")] = None
    note_id: Annotated[UUID | None, Field(description="The note of type TREATMENT_PLAN with its content.")] = None


class PlanChange(Input):
    """Only the fields sent are changed."""

    model_config = example(kind="DBT")

    kind: Annotated[Text40, describe("The practice's own name for the treatment.")] = ""
    starts_on: Annotated[Day, describe("The first day of the plan.")] = date.min
    note_id: Annotated[UUID | None, describe("The note with its content.")] = None


class PlanQuery(ListQuery):
    client_id: Annotated[UUID | None, describe("Only of this client.")] = None
    clinician_id: Annotated[UUID | None, Field(description="The author.")] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False

    def to_filters(self) -> PlanFilters:
        """Return the filters of the query."""
        return PlanFilters(self.client_id, self.clinician_id, self.voided)


class PlanOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: Annotated[UUID, describe("The author, a staff member.")]
    clinician_name: StaffName = None
    kind: Annotated[str, describe("The practice's own name for the treatment.")]
    starts_on: Annotated[date, describe("The first day of the plan.")]
    note_id: Annotated[UUID | None, describe("The note with its content; null without one.")]
    created_at: CreatedAt
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, plan: TreatmentPlan) -> "PlanOut":
        return from_record(PlanOut, plan)


class PlanBegunOut(PlanOut):
    """`changes_treatment`: the next booking requires an informed consent signed on the plan's first day or later."""

    changes_treatment: Annotated[bool, describe("The next booking needs a new informed consent.")]

    @classmethod
    def of_begun(cls, begun: BegunPlan) -> "PlanBegunOut":
        return cls(**PlanOut.of(begun.plan).model_dump(), changes_treatment=begun.changes_treatment)


class PlanReviewIn(Input):
    """`reviewed_on` defaults to today."""

    model_config = example(client_id=EXAMPLE_ID, reviewed_on="2026-06-10", summary="Sleeps better; goals stay.")

    client_id: Annotated[UUID, describe("Whose plan was reviewed.")]
    reviewed_on: Annotated[Day | None, describe("The day of the review; left out, today.")] = None
    summary: Annotated[Text4000 | None, describe("What was found. Encrypted.")] = None


class ReviewChange(Input):
    """Only the fields sent are changed."""

    model_config = example(reviewed_on="2026-06-11")

    reviewed_on: Annotated[Day, describe("The day of the review.")] = date.min
    summary: Annotated[Text4000 | None, describe("What was found. Encrypted.")] = None


class ReviewOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: Annotated[UUID, describe("Who reviewed it, a staff member.")]
    clinician_name: StaffName = None
    plan_id: Annotated[UUID | None, describe("The plan; null for one from before the import.")]
    reviewed_on: Annotated[date, describe("The day of the review.")]
    created_at: CreatedAt
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, review: TreatmentPlanReview) -> "ReviewOut":
        return from_record(ReviewOut, review)


class ReviewWithSummaryOut(ReviewOut):
    summary: Annotated[str | None, describe("What was found.")]

    @classmethod
    def with_summary(cls, view: ReviewView) -> "ReviewWithSummaryOut":
        return cls(**ReviewOut.of(view.review).model_dump(), summary=view.summary)


class DueQuery(Input):
    limit: Annotated[int, Field(ge=1, le=100), describe("The most rows to return.")] = 20
    cursor: Annotated[str | None, Field(max_length=500), describe("The `next_cursor` of the page before.")] = None
    clinician_id: Annotated[UUID | None, Field(description="The clients' primary clinician.")] = None


class PlansDueQuery(DueQuery):
    state: Annotated[
        Literal["due", "alert", "out_of_compliance", "missing"] | None, describe("Only in this state.")
    ] = None


class SafetyDueQuery(DueQuery):
    state: Annotated[Literal["missing", "expired"] | None, describe("Only in this state.")] = None


class DueOut(BaseModel):
    client_id: ClientId
    first_name: Annotated[str, describe("Given name, as the person writes it.")]
    last_name: Annotated[str, describe("Family name, as the person writes it.")]
    primary_clinician_id: Annotated[UUID | None, describe("The client's primary clinician; null without one.")]
    primary_clinician_name: StaffName = None


class PlanDueOut(DueOut):
    """`review_by` is the last day on which a review is in time."""

    state: Annotated[PlanState, describe("How the review stands.")]
    last_reviewed_on: Annotated[date | None, describe("The day of the last review; null without one.")]
    days_since: Annotated[int | None, describe("Days since the last review.")]
    review_by: Annotated[date | None, describe("The last day on which a review is in time.")]

    @classmethod
    def of(cls, status: PlanStatus) -> "PlanDueOut":
        values = {name: getattr(status, name) for name in ("state", "last_reviewed_on", "days_since", "review_by")}
        return PlanDueOut(**read_client(status.client), **values)


class PlanStatusOut(PlanDueOut):
    plan: Annotated[PlanOut | None, describe("The current plan.")]

    @classmethod
    def with_plan(cls, status: PlanStatus) -> "PlanStatusOut":
        plan = None if status.plan is None else PlanOut.of(status.plan)
        return cls(**PlanDueOut.of(status).model_dump(), plan=plan)


class SafetyPlanStatusOut(DueOut):
    """`signed_at` is of the latest signed safety plan; `current_until` is the last day on which it is current."""

    state: Annotated[SafetyState, describe("How the safety plan stands.")]
    signed_at: Annotated[datetime | None, describe("When the latest one was signed.")]
    current_until: Annotated[date | None, describe("The last day on which it is current.")]

    @classmethod
    def of(cls, status: SafetyPlanStatus) -> "SafetyPlanStatusOut":
        values = {name: getattr(status, name) for name in ("state", "signed_at", "current_until")}
        return cls(**read_client(status.client), **values)


PlanInList: Any = partial_model(PlanOut)
ReviewInList: Any = partial_model(ReviewOut)


def read_client(client: Any) -> dict[str, Any]:
    """Return the fields of DueOut."""
    names = ("first_name", "last_name", "primary_clinician_id")
    return {"client_id": client.id} | {name: getattr(client, name) for name in names}


@router.get("/treatment-plans", permission="plans.read")
def list_treatment_plans(
    ctx: RequestContext, query: Annotated[PlanQuery, Query()], reason: Reason = None
) -> PageOut[PlanInList]:
    """List treatment plans.

    Latest first. Sorts by starts_on, created_at or id.
    """
    return to_page(plans.list_plans(ctx.work, ctx.scope, query.page_request(), query.to_filters(), reason), PlanOut)


@router.post("/treatment-plans", permission="plans.write", status_code=201)
def begin_treatment_plan(ctx: RequestContext, body: PlanIn) -> PlanBegunOut:
    """Begin a treatment plan.

    It counts as reviewed on its first day.
    """
    return PlanBegunOut.of_begun(plans.begin_plan(ctx.work, ctx.scope, **body.model_dump()))


@router.get("/treatment-plans/due", permission="plans.read")
def list_treatment_plans_due(
    ctx: RequestContext, query: Annotated[PlansDueQuery, Query()], reason: Reason = None
) -> PageOut[PlanDueOut]:
    """List treatment plans due for review.

    Active clients whose plan is due, overdue or missing, longest wait first.
    """
    page_request = PageRequest(query.limit, query.cursor)
    filters = {"clinician_id": query.clinician_id, "state": query.state}
    return to_page(
        review_status.list_due_plans(ctx.work, ctx.scope, page_request, **filters, reason=reason), PlanDueOut
    )


@router.get("/treatment-plans/{plan_id}", permission="plans.read")
def get_treatment_plan(ctx: RequestContext, plan_id: UUID, reason: Reason = None) -> PlanOut:
    """Get a treatment plan."""
    return PlanOut.of(plans.get_plan(ctx.work, ctx.scope, plan_id, reason))


@router.patch("/treatment-plans/{plan_id}", permission="plans.write", errors=[NotYours])
def change_treatment_plan(ctx: RequestContext, plan_id: UUID, version: Version, body: PlanChange) -> PlanOut:
    """Change a treatment plan.

    Its kind, note or first day.
    """
    changes = body.model_dump(exclude_unset=True)
    return PlanOut.of(plans.change_plan(ctx.work, ctx.scope, plan_id, version, changes))


@router.delete("/treatment-plans/{plan_id}", permission="plans.write", status_code=204, errors=[NotYours])
def void_treatment_plan(ctx: RequestContext, plan_id: UUID, body: VoidIn) -> None:
    """Void a treatment plan.

    With its reviews. They stay on record with who, when and why. Do not put personal data in `reason`.
    """
    plans.void_plan(ctx.work, ctx.scope, plan_id, body.reason)


@router.get("/treatment-plan-reviews", permission="plans.read")
def list_treatment_plan_reviews(
    ctx: RequestContext, query: Annotated[PlanQuery, Query()], reason: Reason = None
) -> PageOut[ReviewInList]:
    """List treatment plan reviews.

    Latest first. Sorts by reviewed_on, created_at or id.
    """
    return to_page(plans.list_reviews(ctx.work, ctx.scope, query.page_request(), query.to_filters(), reason), ReviewOut)


@router.post("/treatment-plan-reviews", permission="plans.write", status_code=201)
def record_treatment_plan_review(ctx: RequestContext, body: PlanReviewIn) -> ReviewWithSummaryOut:
    """Record a treatment plan review.

    Of the plan that the client had on that day.
    """
    return ReviewWithSummaryOut.with_summary(plans.record_review(ctx.work, ctx.scope, **body.model_dump()))


@router.get("/treatment-plan-reviews/{review_id}", permission="plans.read")
def get_treatment_plan_review(ctx: RequestContext, review_id: UUID, reason: Reason = None) -> ReviewWithSummaryOut:
    """Get a treatment plan review with its summary."""
    return ReviewWithSummaryOut.with_summary(plans.get_review(ctx.work, ctx.scope, review_id, reason))


@router.patch("/treatment-plan-reviews/{review_id}", permission="plans.write", errors=[NotYours, FirstReview])
def change_treatment_plan_review(
    ctx: RequestContext, review_id: UUID, version: Version, body: ReviewChange
) -> ReviewWithSummaryOut:
    """Change a treatment plan review.

    Its day or summary.
    """
    changes = body.model_dump(exclude_unset=True)
    return ReviewWithSummaryOut.with_summary(plans.change_review(ctx.work, ctx.scope, review_id, version, changes))


@router.delete(
    "/treatment-plan-reviews/{review_id}", permission="plans.write", status_code=204, errors=[NotYours, FirstReview]
)
def void_treatment_plan_review(ctx: RequestContext, review_id: UUID, body: VoidIn) -> None:
    """Void a treatment plan review.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    plans.void_review(ctx.work, ctx.scope, review_id, body.reason)


@router.get("/clients/{client_id}/treatment-plan", permission="plans.read")
def get_plan_status(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> PlanStatusOut:
    """Get the plan status of a client.

    Their current plan, its last review, and when the next one is due.
    """
    return PlanStatusOut.with_plan(review_status.get_plan_status(ctx.work, ctx.scope, client_id, reason))


@router.get("/safety-plans/due", permission="plans.read")
def list_safety_plans_due(
    ctx: RequestContext, query: Annotated[SafetyDueQuery, Query()], reason: Reason = None
) -> PageOut[SafetyPlanStatusOut]:
    """List missing safety plans.

    Active clients at high risk without a current safety plan; those who never had one first.
    """
    page_request = PageRequest(query.limit, query.cursor)
    filters = {"clinician_id": query.clinician_id, "state": query.state}
    return to_page(
        safety_plans.list_missing_safety_plans(ctx.work, ctx.scope, page_request, **filters, reason=reason),
        SafetyPlanStatusOut,
    )


@router.get("/clients/{client_id}/safety-plan", permission="plans.read")
def get_safety_plan_status(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> SafetyPlanStatusOut:
    """Get the safety plan status of a client.

    Whether they need one today, and whether they have one.
    """
    return SafetyPlanStatusOut.of(safety_plans.get_safety_plan_status(ctx.work, ctx.scope, client_id, reason))
