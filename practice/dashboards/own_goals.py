"""A clinician's own goals that are not decided yet, each beside the value of the period that the page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from practice.dashboards.figures import Figure
from practice.dashboards.words import format_value
from practice.metric_dictionary import METRICS
from practice.people.goals import list_goals
from practice.people.models.records import Goal
from practice.people.rules.goals import evaluate_goal
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest

MAX_GOALS = 20
GoalState = Literal["reached", "not_yet", "no_data"]


@dataclass(frozen=True)
class OwnGoal:
    """A goal in words."""

    id: UUID
    label: str
    target: str
    now: str
    ends_on: date
    state: GoalState


def list_active_goals(work: Work, staff_id: UUID) -> list[Goal]:
    """Return the person's goals that are not decided, the first to end first."""
    page = PageRequest(limit=MAX_GOALS, sort="ends_on")
    return list(list_goals(work, Scope.OWN, page, staff_id=staff_id, status="ACTIVE").items)


def describe_goals(goals: Sequence[Goal], figures: Mapping[str, Figure]) -> list[OwnGoal]:
    """Return the goals with the value of now. A goal is decided after its end, so reached is for now."""
    return [describe_goal(goal, figures[goal.metric_key]) for goal in goals]


def describe_goal(goal: Goal, figure: Figure) -> OwnGoal:
    metric = METRICS[goal.metric_key]
    state: GoalState = "no_data"
    if figure.value is not None:
        reached = evaluate_goal(metric.key, goal.target, figure.value) == "ACHIEVED"
        state = "reached" if reached else "not_yet"
    return OwnGoal(
        id=goal.id,
        label=metric.label,
        target=f"{format_value(metric.unit, goal.target)} or {'less' if metric.direction == 'lower' else 'more'}",
        now=format_value(metric.unit, figure.value),
        ends_on=goal.ends_on,
        state=state,
    )
