"""Verbs about performance goals: a person, a metric, a target, a span; decided once at the span's end."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.access import staff_within
from practice.people.models.practices import Staff
from practice.people.models.records import Goal
from practice.people.practice_time import local_today
from practice.people.rules import goals
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply


class GoalDecided(Refusal):
    code = "GOAL_DECIDED"


def list_goals(
    work: Work,
    scope: Scope,
    asked: PageRequest,
    *,
    staff_id: UUID | None = None,
    status: str | None = None,
    voided: bool = False,
) -> Page:
    query = select(Goal).where(Goal.tenant_id == work.tenant_id, staff_within(work, scope, Goal.staff_id))
    if staff_id is not None:
        query = query.where(Goal.staff_id == staff_id)
    if status is not None:
        query = query.where(Goal.status == status)
    if not voided:
        query = query.where(Goal.voided_at.is_(None))
    sortable = {"ends_on": Goal.ends_on, "created_at": Goal.created_at, "id": Goal.id}
    return page_of(work.db, query, asked, sortable, Goal.id, "-ends_on")


def get_goal(work: Work, scope: Scope, goal_id: UUID, *, lock: bool = False) -> Goal:
    query = select(Goal).where(Goal.tenant_id == work.tenant_id, Goal.id == goal_id, Goal.voided_at.is_(None))
    query = query.where(staff_within(work, scope, Goal.staff_id))
    goal = work.db.scalar(query.with_for_update() if lock else query)
    if goal is None:
        raise NotFound
    return goal


def set_goal(
    work: Work, scope: Scope, *, staff_id: UUID, metric_key: str, target: Decimal, starts_on: date, ends_on: date
) -> Goal:
    problems = goals.goal_problems(metric_key, starts_on, ends_on, local_today(work))
    person = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id == staff_id)
    if work.db.scalar(person.where(staff_within(work, scope, Staff.id))) is None:
        problems.append("staff_id: nobody of the staff has this id, or nobody of your team.")
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
    """What is aimed at and until when, while it is not decided."""
    goal = active_goal(work, scope, goal_id)
    if goal.version != version:
        raise Stale
    starts_on, ends_on = changes.get("starts_on", goal.starts_on), changes.get("ends_on", goal.ends_on)
    if problems := goals.goal_problems(goal.metric_key, starts_on, ends_on, local_today(work)):
        raise Invalid(problems)
    apply(goal, changes)
    work.record("goal.changed", "staff", goal.staff_id, goal_id=str(goal_id), fields=sorted(changes))
    return goal


def decide_goal(work: Work, goal_id: UUID, value: Decimal) -> Goal:
    """By the metric's value at the end of the span, once that has passed."""
    goal = active_goal(work, Scope.ALL, goal_id)
    if local_today(work) <= goal.ends_on:
        raise Invalid(["The goal's span has not ended yet."])
    status = goals.outcome(goal.metric_key, goal.target, value)
    apply(goal, {"status": status, "value": value, "decided_at": work.now})
    work.record("goal.decided", "staff", goal.staff_id, goal_id=str(goal_id), status=status)
    return goal


def void_goal(work: Work, scope: Scope, goal_id: UUID, reason: str) -> None:
    goal = get_goal(work, scope, goal_id, lock=True)
    work.void(goal, reason)
    work.record("goal.voided", "staff", goal.staff_id, goal_id=str(goal_id), reason=reason)


def active_goal(work: Work, scope: Scope, goal_id: UUID) -> Goal:
    goal = get_goal(work, scope, goal_id, lock=True)
    if goal.status != "ACTIVE":
        raise GoalDecided("This goal is decided and stays as it is. Set a new one.")
    return goal
