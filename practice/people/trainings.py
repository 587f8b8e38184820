"""Staff trainings: list and record."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from practice.errors import FieldProblem, Invalid
from practice.people.access import require_visible_staff
from practice.people.models.practices import Training
from practice.people.practice_time import local_today
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id


def list_trainings(work: Work, scope: Scope, staff_id: UUID) -> list[Training]:
    require_visible_staff(work, scope, staff_id)
    query = select(Training).where(Training.tenant_id == work.tenant_id, Training.staff_id == staff_id)
    return list(work.db.scalars(query.order_by(Training.completed_on.desc(), Training.id)))


def record_training(work: Work, scope: Scope, staff_id: UUID, kind: str, completed_on: date) -> Training:
    require_visible_staff(work, scope, staff_id)
    if completed_on > local_today(work):
        message = "The date is in the future. Record a training once it is completed."
        raise Invalid([FieldProblem("completed_on", message)])
    training = Training(
        tenant_id=work.tenant_id,
        id=new_id(),
        staff_id=staff_id,
        kind=kind,
        completed_on=completed_on,
        recorded_at=work.now,
    )
    work.db.add(training)
    work.record("training.recorded", "staff", staff_id, kind=kind)
    return training
