"""Staff trainings: list, record, void."""

from datetime import date
from uuid import UUID

from sqlalchemy import Select, select

from practice.errors import FieldProblem, Invalid, NotFound
from practice.people.access import require_visible_staff
from practice.people.models.practices import Training
from practice.people.practice_time import local_today
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id


def list_trainings(work: Work, scope: Scope, staff_id: UUID) -> list[Training]:
    require_visible_staff(work, scope, staff_id)
    query = select_trainings(work, staff_id).order_by(Training.completed_on.desc(), Training.id)
    return list(work.db.scalars(query))


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


def void_training(work: Work, scope: Scope, staff_id: UUID, training_id: UUID, reason: str) -> None:
    """Void a training recorded by mistake. If no other is current, its holder's access is restricted again."""
    require_visible_staff(work, scope, staff_id)
    training = work.db.scalar(select_trainings(work, staff_id).where(Training.id == training_id).with_for_update())
    if training is None:
        raise NotFound
    work.void(training, reason)
    work.record("training.voided", "staff", staff_id, training_id=str(training_id), kind=training.kind)


def select_trainings(work: Work, staff_id: UUID) -> Select[Training]:
    return select(Training).where(
        Training.tenant_id == work.tenant_id, Training.staff_id == staff_id, Training.voided_at.is_(None)
    )
