"""Uses of the services that take a visit from its booking to its end, and back again."""

from datetime import datetime
from uuid import UUID

from practice.scheduling.appointments import lifecycle
from practice.security.permissions import Scope
from practice.sessions.completion import NoteDraft, complete_session
from practice.sessions.corrections import revert_appointment
from tests.support.builders.notes import fill_sections
from tests.support.simulation.practice import DAY, HOUR, MINUTE, NothingToDo, SimulatedPractice, service

ON_PAPER = "Signed on paper."


@service("await a visit", counted=False)
def await_visit(sim: SimulatedPractice, appointment_id: UUID, starts_at: datetime) -> None:
    """Plan the steps of a visit: most take place, some are cancelled, moved, missed or forgotten."""
    (fate,) = sim.random.choices(("held", "cancelled", "moved", "missed", "forgotten"), (75, 8, 6, 8, 3))
    before = sim.now + (starts_at - sim.now) * sim.random.random()
    if fate == "cancelled":
        sim.later(before, "cancel an appointment", appointment_id)
    elif fate == "moved":
        sim.later(before, "move an appointment", appointment_id)
    elif fate == "missed":
        sim.later(starts_at + sim.choose_span(10 * MINUTE, 2 * DAY), "mark a no-show", appointment_id)
    elif fate == "held":
        if sim.happens(0.4):
            sim.later(before, "confirm an appointment", appointment_id)
        plan_steps(sim, appointment_id, starts_at)


def plan_steps(sim: SimulatedPractice, appointment_id: UUID, starts_at: datetime) -> None:
    arrival = starts_at + sim.choose_span(-15 * MINUTE, 5 * MINUTE)
    if sim.happens(0.7):
        sim.later(arrival, "check in", appointment_id)
        sim.later(arrival + sim.choose_span(MINUTE, 14 * MINUTE), "mark a clinician ready", appointment_id)
    if sim.happens(0.6):
        sim.later(arrival + 15 * MINUTE, "start a session", appointment_id)
    late = sim.choose_span(HOUR, 9 * DAY) if sim.happens(0.1) else sim.choose_span(HOUR, 2 * HOUR)
    sim.later(starts_at + late, "complete a session", appointment_id)


@service("confirm an appointment")
def confirm(sim: SimulatedPractice, appointment_id: UUID) -> None:
    with sim.work() as work:
        lifecycle.confirm(work, Scope.ALL, appointment_id)


@service("check in")
def check_in(sim: SimulatedPractice, appointment_id: UUID) -> None:
    with sim.work() as work:
        lifecycle.check_in(work, Scope.ALL, appointment_id, None, ON_PAPER)


@service("mark a clinician ready")
def mark_ready(sim: SimulatedPractice, appointment_id: UUID) -> None:
    with sim.work() as work:
        lifecycle.mark_ready(work, Scope.ALL, appointment_id)


@service("start a session")
def start(sim: SimulatedPractice, appointment_id: UUID) -> None:
    with sim.work() as work:
        lifecycle.start_session(work, Scope.ALL, appointment_id)


@service("complete a session")
def complete(sim: SimulatedPractice, appointment_id: UUID) -> None:
    appointment = sim.pick("select * from appointments where id = :id", id=appointment_id)
    minutes = sim.choose(None, sim.random.randint(20, 60))
    actor, draft = sim.admin, None
    if sim.happens(0.2):
        actor = sim.staff_actor(appointment.clinician_id)
        draft = NoteDraft("PROGRESS_NOTE", fill_sections("PROGRESS_NOTE"))
    with sim.work(actor) as work:
        complete_session(work, Scope.ALL, appointment_id, minutes, None, draft, ON_PAPER)
    if sim.happens(0.93):
        sim.later(
            sim.now + sim.choose_span(MINUTE, sim.choose(HOUR, DAY, 5 * DAY, 12 * DAY)), "write a note", appointment_id
        )
    if sim.happens(0.93):
        sim.later(sim.now + sim.choose_span(MINUTE, 4 * DAY), "add a charge", appointment_id)
    if sim.happens(0.35):
        sim.later(sim.now + 2 * MINUTE, "book an appointment", appointment.client_id)


@service("mark a no-show")
def mark_no_show(sim: SimulatedPractice, appointment_id: UUID) -> None:
    with sim.work() as work:
        lifecycle.mark_no_show(work, Scope.ALL, appointment_id)


@service("revert an appointment", 0.5)
def revert(sim: SimulatedPractice) -> None:
    appointment = sim.pick("""
        select a.* from appointments as a
        where a.status in ('CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'NO_SHOW')
            and a.status_at > cast(:now as timestamptz) - interval '12 days'
            and not exists (select from charges as c where c.appointment_id = a.id and c.voided_at is null)
        order by a.id
    """)
    if appointment.external_id is not None:
        raise NothingToDo
    with sim.work() as work:
        revert_appointment(work, Scope.ALL, appointment.id, appointment.status, "Set by mistake.")
    name = sim.choose("complete a session", "mark a no-show", "revert an appointment again", "cancel an appointment")
    sim.later(sim.now + sim.choose_span(MINUTE, 5 * DAY), name, appointment.id)


@service("revert an appointment again")
def revert_again(sim: SimulatedPractice, appointment_id: UUID) -> None:
    appointment = sim.pick("select * from appointments where id = :id", id=appointment_id)
    with sim.work() as work:
        revert_appointment(work, Scope.ALL, appointment_id, appointment.status, "Set by mistake too.")
    sim.later(sim.now + sim.choose_span(MINUTE, 5 * DAY), "complete a session", appointment_id)
