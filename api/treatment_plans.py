"""Treatment plans and their reviews, and the standing of plans: treatment plans due, safety plans missing."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import Reason, RequestContext, Version
from api.fields import Day, Short, Why, Written
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.clinical.errors import NotYours
from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.clinical.plans import plans, review_status, safety_plans
from practice.clinical.plans.plans import Begun, FirstReview, Review, Which
from practice.clinical.plans.review_status import PlanStanding
from practice.clinical.plans.rules import PlanState, SafetyState
from practice.clinical.plans.safety_plans import SafetyStanding
from practice.store.pages import PageRequest

router = PermissionRouter(tags=["plans"])


class PlanIn(Input):
    """`kind` is what the practice calls it, such as CBT. Without a day it begins today."""

    client_id: UUID
    kind: Short
    starts_on: Day | None = None
    note_id: Annotated[UUID | None, Field(description="The note of type TREATMENT_PLAN that says what it is.")] = None


class PlanChange(Input):
    """Only what is sent is changed."""

    kind: Short = ""
    starts_on: Day = date.min
    note_id: UUID | None = None


class PlanQuery(ListQuery):
    client_id: UUID | None = None
    clinician_id: Annotated[UUID | None, Field(description="Who entered it.")] = None
    voided: bool = False

    def which(self) -> Which:
        return Which(self.client_id, self.clinician_id, self.voided)


class PlanOut(BaseModel):
    id: UUID
    client_id: UUID
    clinician_id: UUID
    kind: str
    starts_on: date
    note_id: UUID | None
    created_at: datetime
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, plan: TreatmentPlan) -> "PlanOut":
        return cls(**{name: getattr(plan, name) for name in PlanOut.model_fields})


class PlanBegunOut(PlanOut):
    """`changes_treatment`: the next booking asks for an informed consent of the plan's first day or later."""

    changes_treatment: bool

    @classmethod
    def begun(cls, begun: Begun) -> "PlanBegunOut":
        return cls(**PlanOut.of(begun.plan).model_dump(), changes_treatment=begun.changes_treatment)


class ReviewIn(Input):
    """Without a day it was today."""

    client_id: UUID
    reviewed_on: Day | None = None
    summary: Written | None = None


class ReviewChange(Input):
    """Only what is sent is changed."""

    reviewed_on: Day = date.min
    summary: Written | None = None


class ReviewOut(BaseModel):
    id: UUID
    client_id: UUID
    clinician_id: UUID
    plan_id: UUID | None
    reviewed_on: date
    created_at: datetime
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, review: TreatmentPlanReview) -> "ReviewOut":
        return cls(**{name: getattr(review, name) for name in ReviewOut.model_fields})


class ReviewWithSummaryOut(ReviewOut):
    summary: str | None

    @classmethod
    def whole(cls, found: Review) -> "ReviewWithSummaryOut":
        return cls(**ReviewOut.of(found.review).model_dump(), summary=found.summary)


class DueQuery(Input):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str | None, Field(max_length=500)] = None
    clinician_id: Annotated[UUID | None, Field(description="The clients' primary clinician.")] = None


class PlansDueQuery(DueQuery):
    state: Literal["due", "alert", "out_of_compliance", "missing"] | None = None


class SafetyDueQuery(DueQuery):
    state: Literal["missing", "expired"] | None = None


class DueOut(BaseModel):
    client_id: UUID
    first_name: str
    last_name: str
    primary_clinician_id: UUID | None


class PlanDueOut(DueOut):
    """`review_by` is the last day on which a review is in time."""

    state: PlanState
    last_reviewed_on: date | None
    days_since: int | None
    review_by: date | None

    @classmethod
    def of(cls, found: PlanStanding) -> "PlanDueOut":
        own = {name: getattr(found, name) for name in ("state", "last_reviewed_on", "days_since", "review_by")}
        return PlanDueOut(**about(found.client), **own)


class PlanStandingOut(PlanDueOut):
    plan: PlanOut | None

    @classmethod
    def whole(cls, found: PlanStanding) -> "PlanStandingOut":
        plan = None if found.plan is None else PlanOut.of(found.plan)
        return cls(**PlanDueOut.of(found).model_dump(), plan=plan)


class SafetyPlanOut(DueOut):
    """`signed_at` is of the newest signed safety plan; `current_until` the last day on which it is current."""

    state: SafetyState
    signed_at: datetime | None
    current_until: date | None

    @classmethod
    def of(cls, found: SafetyStanding) -> "SafetyPlanOut":
        own = {name: getattr(found, name) for name in ("state", "signed_at", "current_until")}
        return cls(**about(found.client), **own)


PlanInList: Any = some_of(PlanOut)
ReviewInList: Any = some_of(ReviewOut)


def about(client: Any) -> dict[str, Any]:
    names = ("first_name", "last_name", "primary_clinician_id")
    return {"client_id": client.id} | {name: getattr(client, name) for name in names}


@router.get("/treatment-plans", permission="plans.read")
def list_treatment_plans(
    ctx: RequestContext, query: Annotated[PlanQuery, Query()], reason: Reason = None
) -> PageOut[PlanInList]:
    """Treatment plans, the latest first. Sorts by starts_on, created_at or id."""
    return page_out(plans.list_plans(ctx.work, ctx.scope, query.asked(), query.which(), reason), PlanOut)


@router.post("/treatment-plans", permission="plans.write", status_code=201)
def begin_treatment_plan(ctx: RequestContext, body: PlanIn) -> PlanBegunOut:
    """A client is treated by a plan from a day on; on that day it counts as reviewed."""
    return PlanBegunOut.begun(plans.begin_plan(ctx.work, ctx.scope, **body.model_dump()))


@router.get("/treatment-plans/due", permission="plans.read")
def list_treatment_plans_due(
    ctx: RequestContext, query: Annotated[PlansDueQuery, Query()], reason: Reason = None
) -> PageOut[PlanDueOut]:
    """Active clients whose plan is due for review, overdue or missing, those that wait longest first."""
    asked = PageRequest(query.limit, query.cursor)
    which = {"clinician_id": query.clinician_id, "state": query.state}
    return page_out(review_status.plans_due(ctx.work, ctx.scope, asked, **which, reason=reason), PlanDueOut)


@router.get("/treatment-plans/{plan_id}", permission="plans.read")
def get_treatment_plan(ctx: RequestContext, plan_id: UUID, reason: Reason = None) -> PlanOut:
    """One treatment plan."""
    return PlanOut.of(plans.get_plan(ctx.work, ctx.scope, plan_id, reason))


@router.patch("/treatment-plans/{plan_id}", permission="plans.write", errors=[NotYours])
def change_treatment_plan(ctx: RequestContext, plan_id: UUID, version: Version, body: PlanChange) -> PlanOut:
    """Change a plan's kind, its note, or the day on which it begins."""
    changes = body.model_dump(exclude_unset=True)
    return PlanOut.of(plans.change_plan(ctx.work, ctx.scope, plan_id, version, changes))


@router.delete("/treatment-plans/{plan_id}", permission="plans.write", status_code=204, errors=[NotYours])
def void_treatment_plan(ctx: RequestContext, plan_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take back a plan that was entered by mistake, and its reviews. They stay on record; the reason names nobody."""
    plans.void_plan(ctx.work, ctx.scope, plan_id, reason)


@router.get("/treatment-plan-reviews", permission="plans.read")
def list_treatment_plan_reviews(
    ctx: RequestContext, query: Annotated[PlanQuery, Query()], reason: Reason = None
) -> PageOut[ReviewInList]:
    """Reviews of treatment plans, the latest first. Sorts by reviewed_on, created_at or id."""
    return page_out(plans.list_reviews(ctx.work, ctx.scope, query.asked(), query.which(), reason), ReviewOut)


@router.post("/treatment-plan-reviews", permission="plans.write", status_code=201)
def record_treatment_plan_review(ctx: RequestContext, body: ReviewIn) -> ReviewWithSummaryOut:
    """The plan that a client had on a day was reviewed on it."""
    return ReviewWithSummaryOut.whole(plans.record_review(ctx.work, ctx.scope, **body.model_dump()))


@router.get("/treatment-plan-reviews/{review_id}", permission="plans.read")
def get_treatment_plan_review(ctx: RequestContext, review_id: UUID, reason: Reason = None) -> ReviewWithSummaryOut:
    """One review, with its summary."""
    return ReviewWithSummaryOut.whole(plans.get_review(ctx.work, ctx.scope, review_id, reason))


@router.patch("/treatment-plan-reviews/{review_id}", permission="plans.write", errors=[NotYours, FirstReview])
def change_treatment_plan_review(
    ctx: RequestContext, review_id: UUID, version: Version, body: ReviewChange
) -> ReviewWithSummaryOut:
    """Change the day of a review, or its summary."""
    changes = body.model_dump(exclude_unset=True)
    return ReviewWithSummaryOut.whole(plans.change_review(ctx.work, ctx.scope, review_id, version, changes))


@router.delete(
    "/treatment-plan-reviews/{review_id}", permission="plans.write", status_code=204, errors=[NotYours, FirstReview]
)
def void_treatment_plan_review(ctx: RequestContext, review_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take back a review that was entered by mistake. It stays on record; the reason names nobody."""
    plans.void_review(ctx.work, ctx.scope, review_id, reason)


@router.get("/clients/{client_id}/treatment-plan", permission="plans.read")
def get_plan_standing(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> PlanStandingOut:
    """The plan that a client has today, when it was reviewed last, and how far the next review is away."""
    return PlanStandingOut.whole(review_status.plan_standing(ctx.work, ctx.scope, client_id, reason))


@router.get("/safety-plans/due", permission="plans.read")
def list_safety_plans_due(
    ctx: RequestContext, query: Annotated[SafetyDueQuery, Query()], reason: Reason = None
) -> PageOut[SafetyPlanOut]:
    """Active clients at high risk without a current safety plan, those without any first."""
    asked = PageRequest(query.limit, query.cursor)
    which = {"clinician_id": query.clinician_id, "state": query.state}
    return page_out(safety_plans.without_safety_plan(ctx.work, ctx.scope, asked, **which, reason=reason), SafetyPlanOut)


@router.get("/clients/{client_id}/safety-plan", permission="plans.read")
def get_safety_standing(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> SafetyPlanOut:
    """Whether a client needs a safety plan today, and whether they have one."""
    return SafetyPlanOut.of(safety_plans.safety_standing(ctx.work, ctx.scope, client_id, reason))
