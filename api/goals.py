"""Performance goals of the staff."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from api.deps import Desk, Version, endpoint
from api.fields import Day, Short, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from practice.people import goals
from practice.people.goals import GoalDecided
from practice.people.models.records import Goal

router = APIRouter(prefix="/goals", tags=["goals"])


def two_decimals(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))


Target = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2), AfterValidator(two_decimals)]
Status = Literal["ACTIVE", "ACHIEVED", "MISSED"]


class GoalIn(Input):
    staff_id: UUID
    metric_key: Short
    target: Target
    starts_on: Day
    ends_on: Day


class GoalChange(Input):
    """Only what is sent is changed. Another metric is another goal."""

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
    metric_key: str
    target: Decimal
    starts_on: date
    ends_on: date
    status: Status
    value: Decimal | None
    decided_at: datetime | None
    set_by: UUID | None
    created_at: datetime
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, goal: Goal) -> "GoalOut":
        return cls(**{name: getattr(goal, name) for name in cls.model_fields})


GoalInList: Any = some_of(GoalOut)


@endpoint(router, "GET", "", may="goals.read")
def list_goals(desk: Desk, query: Annotated[GoalQuery, Query()]) -> PageOut[GoalInList]:
    """Goals, those that end last first. Sorts by ends_on, created_at or id."""
    found = goals.list_goals(
        desk.work,
        desk.scope,
        query.asked(),
        staff_id=query.staff_id,
        status=query.status,
        voided=query.voided,
    )
    return page_out(found, GoalOut)


@endpoint(router, "POST", "", may="goals.write", status=201)
def set_goal(desk: Desk, body: GoalIn) -> GoalOut:
    """Set a goal for somebody: a metric, a target, a span that ends today or later."""
    return GoalOut.of(goals.set_goal(desk.work, desk.scope, **body.model_dump()))


@endpoint(router, "GET", "/{goal_id}", may="goals.read")
def get_goal(desk: Desk, goal_id: UUID) -> GoalOut:
    """One goal."""
    return GoalOut.of(goals.get_goal(desk.work, desk.scope, goal_id))


@endpoint(router, "PATCH", "/{goal_id}", may="goals.write", refusals=[GoalDecided])
def change_goal(desk: Desk, goal_id: UUID, version: Version, body: GoalChange) -> GoalOut:
    """Change target or span while the goal is not decided."""
    changes = body.model_dump(exclude_unset=True)
    return GoalOut.of(goals.change_goal(desk.work, desk.scope, goal_id, version, changes))


@endpoint(router, "DELETE", "/{goal_id}", may="goals.write", status=204)
def void_goal(desk: Desk, goal_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take a goal back. It stays on record with who, when and why."""
    goals.void_goal(desk.work, desk.scope, goal_id, reason)
