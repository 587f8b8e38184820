"""Performance goals: a staff member, a metric, a target and a period; decided once, after the period ends."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.models.records import Goal
from practice.people.practice_time import local_today
from practice.people.rules import goals
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned


class GoalDecided(Refusal):
    """The goal is already decided and cannot be changed.

    Fix: set a new one.
    """

    code = "GOAL_DECIDED"


def list_goals(
    work: Work,
    scope: Scope,
    page_request: PageRequest,
    *,
    staff_id: UUID | None = None,
    status: str | None = None,
    voided: bool = False,
) -> Page:
    query = select(Goal).where(Goal.tenant_id == work.tenant_id, visible_staff(work, scope, Goal.staff_id))
    if staff_id is not None:
        query = query.where(Goal.staff_id == staff_id)
    if status is not None:
        query = query.where(Goal.status == status)
    if not voided:
        query = query.where(Goal.voided_at.is_(None))
    sortable = {"ends_on": Goal.ends_on, "created_at": Goal.created_at, "id": Goal.id}
    return fetch_page(work.db, query, page_request, sortable, Goal.id, "-ends_on")


def get_goal(work: Work, scope: Scope, goal_id: UUID, *, lock: bool = False) -> Goal:
    query = select(Goal).where(Goal.tenant_id == work.tenant_id, Goal.id == goal_id, Goal.voided_at.is_(None))
    query = query.where(visible_staff(work, scope, Goal.staff_id))
    goal = work.db.scalar(query.with_for_update() if lock else query)
    if goal is None:
        raise NotFound
    return goal


def set_goal(
    work: Work, scope: Scope, *, staff_id: UUID, metric_key: str, target: Decimal, starts_on: date, ends_on: date
) -> Goal:
    problems = goals.goal_problems(metric_key, starts_on, ends_on, local_today(work))
    staff = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id == staff_id)
    if work.db.scalar(staff.where(visible_staff(work, scope, Staff.id))) is None:
        problems.append(FieldProblem("staff_id", "Not found. Choose yourself or a member of your team."))
    if problems:
        raise Invalid(problems)
    goal = Goal(
        tenant_id=work.tenant_id,
        id=new_id(),
        staff_id=staff_id,
        metric_key=metric_key,
        target=target,
        starts_on=starts_on,
        ends_on=ends_on,
        status="ACTIVE",
        set_by=work.actor.account_id,
        created_at=work.now,
        version=1,
    )
    work.db.add(goal)
    work.record("goal.set", "staff", staff_id, goal_id=str(goal.id), metric=metric_key)
    return goal


def change_goal(work: Work, scope: Scope, goal_id: UUID, version: int, changes: dict[str, Any]) -> Goal:
    """Change the target or period of a goal that is not decided yet."""
    goal = lock_active_goal(work, scope, goal_id)
    if goal.version != version:
        raise Stale
    starts_on, ends_on = changes.get("starts_on", goal.starts_on), changes.get("ends_on", goal.ends_on)
    if problems := goals.goal_problems(goal.metric_key, starts_on, ends_on, local_today(work)):
        raise Invalid(problems)
    update_versioned(goal, changes)
    work.record("goal.changed", "staff", goal.staff_id, goal_id=str(goal_id), fields=sorted(changes))
    return goal


def decide_goal(work: Work, goal_id: UUID, value: Decimal) -> Goal:
    """Decide a goal by the metric's value at the end of its period, once that has passed."""
    goal = lock_active_goal(work, Scope.ALL, goal_id)
    if local_today(work) <= goal.ends_on:
        raise Invalid([FieldProblem("ends_on", "This goal's period has not ended yet. Decide it after `ends_on`.")])
    status = goals.evaluate_goal(goal.metric_key, goal.target, value)
    update_versioned(goal, {"status": status, "value": value, "decided_at": work.now})
    work.record("goal.decided", "staff", goal.staff_id, goal_id=str(goal_id), status=status)
    return goal


def void_goal(work: Work, scope: Scope, goal_id: UUID, reason: str) -> None:
    goal = get_goal(work, scope, goal_id, lock=True)
    work.void(goal, reason)
    work.record("goal.voided", "staff", goal.staff_id, goal_id=str(goal_id), reason=reason)


def lock_active_goal(work: Work, scope: Scope, goal_id: UUID) -> Goal:
    """Lock and return a goal, or raise GoalDecided if it is decided."""
    goal = get_goal(work, scope, goal_id, lock=True)
    if goal.status != "ACTIVE":
        raise GoalDecided("This goal is already decided and cannot be changed. Set a new one.")
    return goal
