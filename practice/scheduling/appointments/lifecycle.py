"""The steps of an appointment's life: confirm, check in, ready, start, complete, no-show, cancel."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from practice.errors import NotFound
from practice.messages.outbox import Due, channels_of, take_back, tell_client
from practice.people.access import staff_within
from practice.people.models.clients import Client
from practice.people.rules.consents import TELEHEALTH, WORDS, consent_in_force
from practice.people.settings import setting
from practice.scheduling import errors
from practice.scheduling.appointments.booking import write_steps
from practice.scheduling.appointments.booking_context import Facts, facts_of
from practice.scheduling.appointments.rules.booking_eligibility import (
    DEMOGRAPHICS,
    check_in_asks,
    demographics_problem,
    missing_demographics,
)
from practice.scheduling.appointments.rules.lifecycle import portal_change_problem, transition_problem
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.catalog.quotes import cost_of
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.records import apply

Which = Literal["one", "following", "all"]
STILL_OPEN = ("SCHEDULED", "CONFIRMED")


@dataclass(frozen=True)
class CheckedIn:
    appointment: Appointment
    asks: list[str] = field(default_factory=list)


def appointments_within(work: Work, scope: Scope) -> ColumnElement[bool]:
    """Whose appointments: a client their own, staff as far as the permission reaches."""
    if work.actor.client_id is not None:
        return Appointment.client_id == work.actor.client_id
    return staff_within(work, scope, Appointment.clinician_id)


def lock_appointments(work: Work, ids: Collection[UUID], scope: Scope) -> list[Appointment]:
    return lock_in_order(work, ids, appointments_within(work, scope))


def lock_in_order(
    work: Work, ids: Collection[UUID], *theirs: ColumnElement[bool], waiting: bool = True
) -> list[Appointment]:
    """Those of them that there are, and that are theirs: all at once and in one order, before any resource and any
    note, so that of several people who change several of them nobody waits for somebody who waits for them. Without
    waiting: those that nobody else has."""
    query = select(Appointment).where(Appointment.tenant_id == work.tenant_id, Appointment.id.in_(ids), *theirs)
    in_order = query.order_by(Appointment.starts_at, Appointment.id)
    locked = in_order.with_for_update(key_share=True, skip_locked=not waiting)
    return list(work.db.scalars(locked.execution_options(populate_existing=True)))


def lock_appointment(work: Work, appointment_id: UUID, scope: Scope) -> Appointment:
    found = lock_appointments(work, [appointment_id], scope)
    if not found:
        raise NotFound
    return found[0]


def lock_meant(work: Work, appointment_id: UUID, scope: Scope, which: Which) -> tuple[Appointment, list[Appointment]]:
    """The one that is named; and what is meant: it alone, with those of its series that follow, or all of the series
    that are still to come, in the order of time. Of others than the one only what can still change."""
    if which == "one":
        first = lock_appointment(work, appointment_id, scope)
        return first, [first]
    one, other = aliased(Appointment), aliased(Appointment)
    since = one.starts_at if which == "following" else work.now
    query = (
        select(other.id)
        .join(one, (one.tenant_id == other.tenant_id) & (one.series_id == other.series_id))
        .where(one.tenant_id == work.tenant_id, one.id == appointment_id)
        .where(other.tenant_id == work.tenant_id, other.starts_at >= since)
    )
    found = lock_appointments(work, {appointment_id, *work.db.scalars(query)}, scope)
    first = next((one for one in found if one.id == appointment_id), None)
    if first is None:
        raise NotFound
    return first, [one for one in found if one is first or one.status in STILL_OPEN]


def lock_all(work: Work, ids: Collection[UUID], scope: Scope) -> None:
    """Before steps are taken with each of them: whatever these lock is locked already."""
    lock_times(work, lock_appointments(work, ids, scope))


def lock_times(work: Work, appointments: Iterable[Appointment], *more: UUID | None) -> None:
    lock_resources(work, [*more, *(resource for one in appointments for resource in (one.clinician_id, one.room_id))])


def confirm(work: Work, appointment_id: UUID, scope: Scope, note: str | None = None) -> Appointment:
    return step(work, lock_appointment(work, appointment_id, scope), "CONFIRMED", note)


def check_in(work: Work, appointment_id: UUID, scope: Scope, note: str | None = None) -> CheckedIn:
    """The client is here. What the desk still has to ask for comes with the answer."""
    appointment = lock_appointment(work, appointment_id, scope)
    refuse_transition(work, appointment, "CHECKED_IN")
    facts = facts_about(work, appointment)
    lacking = lacking_in(work, facts)
    asks = check_in_asks(
        facts.standing,
        starts_at=appointment.starts_at,
        telehealth=appointment.telehealth,
        missing=lacking,
        now=work.now,
        zone=facts.zone,
    )
    refuse_online_without_consent(work, appointment, facts)
    checked_in = step(work, appointment, "CHECKED_IN", note, arrived_at=work.now)
    take_back(work, [appointment.id])  # whoever is here need not be reminded
    return CheckedIn(checked_in, asks)


def ready(work: Work, appointment_id: UUID, scope: Scope) -> Appointment:
    """The clinician is ready for the client who has arrived."""
    appointment = lock_appointment(work, appointment_id, scope)
    if appointment.status != "CHECKED_IN" or appointment.ready_at is not None:
        raise errors.WrongStatus("The clinician gets ready once, between check-in and the start of the session.")
    apply(appointment, {"ready_at": work.now})
    work.record("appointment.ready", "appointment", appointment.id)
    return appointment


def start(work: Work, appointment_id: UUID, scope: Scope, note: str | None = None) -> Appointment:
    return step(work, lock_appointment(work, appointment_id, scope), "IN_PROGRESS", note, started_at=work.now)


def complete(
    work: Work, appointment_id: UUID, scope: Scope, actual_minutes: int | None = None, note: str | None = None
) -> Appointment:
    """The session took place. Its price is fixed now, and stays whatever becomes of the rates."""
    appointment = lock_appointment(work, appointment_id, scope)
    refuse_transition(work, appointment, "COMPLETED")
    facts = facts_about(work, appointment)
    refuse_online_without_consent(work, appointment, facts)
    lacking = lacking_in(work, facts)
    if lacking:
        raise errors.DemographicsMissing(demographics_problem(lacking), missing=lacking)
    cost = cost_of(work, facts.quote_request)
    if actual_minutes is None and appointment.started_at is not None:
        actual_minutes = max(1, round((work.now - appointment.started_at).total_seconds() / 60))
    fixed = {"price_cents": cost.cents, "price_from": cost.source, "copay_cents": cost.copay_cents} if cost else {}
    step(work, appointment, "COMPLETED", note, actual_minutes=actual_minutes, **fixed)
    take_back(work, [appointment.id])
    return appointment


def no_show(work: Work, appointment_id: UUID, scope: Scope, note: str | None = None) -> Appointment:
    appointment = step(work, lock_appointment(work, appointment_id, scope), "NO_SHOW", note)
    take_back(work, [appointment.id])
    tell(work, appointment.client_id, [Due("NO_SHOW_FOLLOW_UP", work.now, appointment.id)])
    return appointment


def refuse_late(work: Work, appointments: Sequence[Appointment], wanted: str) -> None:
    """Everything that speaks against it, of each of them; a client has until so many hours before the start."""
    problems = [transition_problem(one.status, wanted, one.starts_at, work.now) for one in appointments]
    found = [problem for problem in problems if problem]
    if found:
        raise errors.WrongStatus(" ".join(dict.fromkeys(found)))
    if work.actor.client_id is not None:
        hours = setting(work, "portal_change_hours")
        late = [portal_change_problem(one.starts_at, work.now, hours) for one in appointments]
        if any(late):
            raise errors.TooLate(next(problem for problem in late if problem))


def refuse_transition(work: Work, appointment: Appointment, status: str) -> None:
    problem = transition_problem(appointment.status, status, appointment.starts_at, work.now)
    if problem:
        raise errors.WrongStatus(problem)


def refuse_online_without_consent(work: Work, appointment: Appointment, facts: Facts) -> None:
    """At the first step of a telehealth visit. Once it has begun, a consent that is revoked ends no session."""
    if not appointment.telehealth or appointment.status not in ("SCHEDULED", "CONFIRMED"):
        return
    if not consent_in_force(facts.standing.consents, TELEHEALTH, work.now, facts.zone):
        raise errors.ConsentMissing(f"The {WORDS[TELEHEALTH]} has to be signed before a telehealth visit.")


def step(work: Work, appointment: Appointment, status: str, note: str | None, **changes: Any) -> Appointment:
    refuse_transition(work, appointment, status)
    apply(appointment, {"status": status, "status_at": work.now, **changes})
    with errors.taken_at_last():
        work.db.flush()
    write_steps(work, [(appointment.id, status, note)])
    work.record(f"appointment.{status.lower()}", "appointment", appointment.id)
    return appointment


def tell(work: Work, client_id: UUID, messages: Sequence[Due]) -> None:
    tell_client(work, client_id, channels_of(work, client_id), messages)


def facts_about(work: Work, appointment: Appointment, starts_at: datetime | None = None) -> Facts:
    service = work.db.get_one(Service, (work.tenant_id, appointment.service_id))
    return facts_of(
        work,
        client_id=appointment.client_id,
        clinician_id=appointment.clinician_id,
        service_code=service.code,
        room_id=appointment.room_id,
        starts_at=starts_at or appointment.starts_at,
    )


def lacking_in(work: Work, facts: Facts) -> list[str]:
    """What a completed visit needs of the client's record and is not there."""
    row = facts.row
    client = work.db.get_one(Client, (work.tenant_id, row.client_id))
    fields = {name: getattr(client, name) for name in DEMOGRAPHICS}
    return missing_demographics(fields, self_pay=row.self_pay, covered=row.payer_id is not None)
