"""Routes of performance goals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field

from api.context import RequestContext, Version
from api.fields import Day, Text40
from api.names import PersonOf, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import goals
from practice.people.goals import GoalDecided
from practice.people.models.records import Goal

router = PermissionRouter(prefix="/goals", tags=["goals"])


def round_to_hundredths(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))


Target = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), AfterValidator(round_to_hundredths)]
Status = Literal["ACTIVE", "ACHIEVED", "MISSED"]


class GoalIn(Input):
    staff_id: UUID
    metric_key: Text40
    target: Target
    starts_on: Day
    ends_on: Day


class GoalChange(Input):
    """Only the fields sent are changed. For another metric set another goal."""

    target: Target = Decimal(0)
    starts_on: Day = date.min
    ends_on: Day = date.min


class GoalQuery(ListQuery):
    staff_id: UUID | None = None
    status: Status | None = None
    voided: bool = False


class GoalOut(BaseModel):
    id: UUID
    staff_id: UUID
    staff_name: StaffName = None
    metric_key: str
    target: Decimal
    starts_on: date
    ends_on: date
    status: Status
    value: Decimal | None
    decided_at: datetime | None
    set_by: UUID | None
    set_by_person: PersonOf = None
    created_at: datetime
    voided_at: datetime | None
    voided_by: UUID | None
    voided_by_person: PersonOf = None
    void_reason: str | None
    version: int

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
