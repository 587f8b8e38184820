"""Routes of performance goals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from api.context import RequestContext, Version
from api.fields import (
    EXAMPLE_ID,
    AccountId,
    CreatedAt,
    Day,
    RecordId,
    RecordVersion,
    Text40,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
from api.names import PersonOf, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.metric_dictionary import METRICS
from practice.people import goals
from practice.people.goals import GoalDecided
from practice.people.models.records import Goal

router = PermissionRouter(prefix="/goals", tags=["goals"])


def round_to_hundredths(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))


Target = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), AfterValidator(round_to_hundredths)]
Status = Literal["ACTIVE", "ACHIEVED", "MISSED"]
# The API document lists the keys. An unknown one is refused together with all other problems of the goal.
MetricKey = Annotated[Text40, WithJsonSchema({"type": "string", "enum": list(METRICS)})]


class GoalIn(Input):
    model_config = example(
        staff_id=EXAMPLE_ID, metric_key="rebook_rate", target="80.00", starts_on="2026-04-01", ends_on="2026-06-30"
    )

    staff_id: Annotated[UUID, describe("Whose goal it is.")]
    metric_key: Annotated[MetricKey, describe("A key of the metric dictionary.")]
    target: Annotated[Target, describe("The value to reach.")]
    starts_on: Annotated[Day, describe("The first day of the period.")]
    ends_on: Annotated[Day, describe("The last day of the period, after which it is decided.")]


class GoalChange(Input):
    """Only the fields sent are changed. For another metric set another goal."""

    model_config = example(target="75.00")

    target: Annotated[Target, describe("The value to reach.")] = Decimal(0)
    starts_on: Annotated[Day, describe("The first day of the period.")] = date.min
    ends_on: Annotated[Day, describe("The last day of the period, after which it is decided.")] = date.min


class GoalQuery(ListQuery):
    staff_id: Annotated[UUID | None, describe("Only of this staff member.")] = None
    status: Annotated[Status | None, describe("Only with this status.")] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False


class GoalOut(BaseModel):
    id: RecordId
    staff_id: Annotated[UUID, describe("Whose goal it is.")]
    staff_name: StaffName = None
    metric_key: Annotated[str, describe("A key of the metric dictionary.")]
    target: Annotated[Decimal, describe("The value to reach.")]
    starts_on: Annotated[date, describe("The first day of the period.")]
    ends_on: Annotated[date, describe("The last day of the period.")]
    status: Annotated[Status, describe("`ACTIVE`, `ACHIEVED` or `MISSED`.")]
    value: Annotated[Decimal | None, describe("The metric's value at the end of the period.")]
    decided_at: Annotated[datetime | None, describe("When it was decided.")]
    set_by: AccountId | None
    set_by_person: PersonOf = None
    created_at: CreatedAt
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, goal: Goal) -> "GoalOut":
        return from_record(cls, goal)


GoalInList: Any = partial_model(GoalOut)


@router.get("", permission="goals.read")
def list_goals(ctx: RequestContext, query: Annotated[GoalQuery, Query()]) -> PageOut[GoalInList]:
    """List goals.

    Those that end last come first. Sorts by ends_on, created_at or id.
    """
    page = goals.list_goals(
        ctx.work,
        ctx.scope,
        query.page_request(),
        staff_id=query.staff_id,
        status=query.status,
        voided=query.voided,
    )
    return to_page(page, GoalOut)


@router.post("", permission="goals.write", status_code=201)
def set_goal(ctx: RequestContext, body: GoalIn) -> GoalOut:
    """Set a goal.

    A metric, a target, and a span that ends today or later.
    """
    return GoalOut.of(goals.set_goal(ctx.work, ctx.scope, **body.model_dump()))


@router.get("/{goal_id}", permission="goals.read")
def get_goal(ctx: RequestContext, goal_id: UUID) -> GoalOut:
    """Get a goal."""
    return GoalOut.of(goals.get_goal(ctx.work, ctx.scope, goal_id))


@router.patch("/{goal_id}", permission="goals.write", errors=[GoalDecided])
def change_goal(ctx: RequestContext, goal_id: UUID, version: Version, body: GoalChange) -> GoalOut:
    """Change a goal.

    Target or span, while it is not decided.
    """
    changes = body.model_dump(exclude_unset=True)
    return GoalOut.of(goals.change_goal(ctx.work, ctx.scope, goal_id, version, changes))


@router.delete("/{goal_id}", permission="goals.write", status_code=204)
def void_goal(ctx: RequestContext, goal_id: UUID, body: VoidIn) -> None:
    """Void a goal.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    goals.void_goal(ctx.work, ctx.scope, goal_id, body.reason)
