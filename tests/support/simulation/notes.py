"""Uses of the services of clinical notes."""

from uuid import UUID

from practice.clinical.notes.amendments import add_addendum, amend_note
from practice.clinical.notes.drafts import create_note, save_note, void_note
from practice.clinical.notes.entered_in_error import mark_entered_in_error
from practice.clinical.notes.signing import return_note, sign_note, submit_note, withdraw_note
from practice.clinical.notes.unlocking import lock_note_session, unlock_note_session
from practice.security.permissions import Scope
from practice.sessions.completion import link_note, sign_session
from tests.support.builders.notes import fill_sections
from tests.support.simulation.practice import AT_WORK, DAY, MINUTE, SimulatedPractice, service

# external notes were imported: their template is not known
OWN = f"""
    select n.* from notes as n join staff as s on s.tenant_id = n.tenant_id and s.id = n.clinician_id and {AT_WORK}
    where n.external_id is null and n.voided_at is null and n.entered_in_error_at is null and {{condition}}
    order by n.id
"""
DRAFTS = OWN.format(condition="n.status = 'DRAFT'")
SIGNED = OWN.format(condition="n.signed_at is not null")
IN_REVIEW = OWN.format(condition="n.status = 'IN_REVIEW'")
SESSION_TYPES = ("PROGRESS_NOTE",) * 6 + ("SOAP_NOTE", "SOAP_NOTE", "CRISIS_INTERVENTION", "DISCHARGE_SUMMARY")
OTHER_TYPES = ("SAFETY_PLAN", "SAFETY_PLAN", "TREATMENT_PLAN", "PROGRESS_NOTE", "PROGRESS_NOTE")


def write(sim: SimulatedPractice, clinician_id: UUID, client_id: UUID, type: str, appointment_id: UUID | None) -> None:
    with sim.work(sim.staff_actor(clinician_id)) as work:
        sections = fill_sections(type)
        details = {"client_id": client_id, "type": type, "appointment_id": appointment_id}
        note_id = create_note(work, Scope.OWN, sections=sections, **details).id
    sim.later(sim.now + sim.choose_span(MINUTE, sim.choose(MINUTE * 9, DAY, 9 * DAY)), "sign a note", note_id)


@service("write a note")
def write_about_session(sim: SimulatedPractice, appointment_id: UUID) -> None:
    appointment = sim.pick("select * from appointments where id = :id", id=appointment_id)
    linked = appointment_id if sim.happens(0.9) else None
    write(sim, appointment.clinician_id, appointment.client_id, sim.choose(*SESSION_TYPES), linked)
    if linked is None:
        sim.later(sim.now + sim.choose_span(MINUTE, 8 * DAY), "link a note", appointment_id)


@service("write a note without a session", 0.5)
def write_without_session(sim: SimulatedPractice) -> None:
    client = sim.pick_client("primary_clinician_id is not null")
    write(sim, client.primary_clinician_id, client.id, sim.choose(*OTHER_TYPES), None)


@service("save a draft", 0.4)
def save_draft(sim: SimulatedPractice) -> None:
    note = sim.pick(DRAFTS)
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        save_note(work, note.id, note.version, sections=fill_sections(note.type, "Better than before."))


@service("sign a note")
def sign(sim: SimulatedPractice, note_id: UUID) -> None:
    note = sim.pick("select * from notes where id = :id", id=note_id)
    author = sim.staff_actor(note.clinician_id)
    supervised = sim.rows("select 1 from staff where id = :id and supervisor_id is not null", id=note.clinician_id)
    if supervised and sim.happens(0.8):
        sim.later(sim.now + MINUTE, "submit a note", note_id)
        return
    with sim.work(author) as work:
        sign_note(work, note_id)


@service("sign the note of a session", 0.4)
def sign_any_session(sim: SimulatedPractice) -> None:
    note = sim.pick(DRAFTS.replace("order by", "and n.appointment_id is not null order by"))
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        sign_session(work, Scope.OWN, note.appointment_id)


@service("submit a note")
def submit(sim: SimulatedPractice, note_id: UUID) -> None:
    note = sim.pick("select * from notes where id = :id", id=note_id)
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        submit_note(work, note_id)
    name = sim.choose("co-sign a note", "co-sign a note", "co-sign a note", "return a note", "withdraw a note")
    sim.later(sim.now + sim.choose_span(MINUTE, 3 * DAY), name, note_id)


def pick_supervisor(sim: SimulatedPractice, note_id: UUID) -> UUID:
    return sim.pick(
        "select s.supervisor_id from notes as n join staff as s on s.tenant_id = n.tenant_id and s.id = n.clinician_id "
        "where n.id = :id and s.supervisor_id is not null",
        id=note_id,
    ).supervisor_id


@service("co-sign a note")
def co_sign(sim: SimulatedPractice, note_id: UUID) -> None:
    with sim.work(sim.staff_actor(pick_supervisor(sim, note_id))) as work:
        sign_note(work, note_id)


@service("return a note")
def return_to_author(sim: SimulatedPractice, note_id: UUID) -> None:
    with sim.work(sim.staff_actor(pick_supervisor(sim, note_id))) as work:
        return_note(work, note_id, "Please add the plan.")
    sim.later(sim.now + sim.choose_span(MINUTE, 2 * DAY), "submit a note", note_id)


@service("withdraw a note")
def withdraw(sim: SimulatedPractice, note_id: UUID) -> None:
    note = sim.pick("select * from notes where id = :id", id=note_id)
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        withdraw_note(work, note_id)
    sim.later(sim.now + sim.choose_span(MINUTE, 2 * DAY), "submit a note", note_id)


@service("amend a note", 0.2)
def amend(sim: SimulatedPractice) -> None:
    note = sim.pick(SIGNED)
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        amend_note(work, note.id, note.version, sections=fill_sections(note.type, "As corrected."), reason="A mistake.")


@service("add an addendum", 0.1)
def add_text(sim: SimulatedPractice) -> None:
    note = sim.pick(SIGNED)
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        add_addendum(work, note.id, "The client called again.", "New information.")


@service("void a draft", 0.1)
def void_draft(sim: SimulatedPractice) -> None:
    note = sim.pick(DRAFTS)
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        void_note(work, note.id, "Begun twice.")


@service("mark a note entered in error", 0.12)
def mark_in_error(sim: SimulatedPractice) -> None:
    note = sim.pick(SIGNED)
    with sim.work(sim.staff_actor(note.clinician_id)) as work:
        mark_entered_in_error(work, note.id, "The note of another client.")
    if note.appointment_id and sim.happens(0.5):
        sim.later(sim.now + sim.choose_span(MINUTE, DAY), "write a note", note.appointment_id)


@service("link a note", 0.1)
def link(sim: SimulatedPractice, appointment_id: UUID | None = None) -> None:
    pair = sim.pick(
        """
        select n.id, n.clinician_id, a.id as appointment_id, c.version from notes as n
        join appointments as a on a.tenant_id = n.tenant_id and a.client_id = n.client_id
            and a.clinician_id = n.clinician_id and a.status = 'COMPLETED' and a.note_signed_at is null
        left join session_completions as c on c.tenant_id = a.tenant_id and c.id = a.id
        where n.appointment_id is null and n.voided_at is null and n.entered_in_error_at is null
            and n.type in ('PROGRESS_NOTE', 'SOAP_NOTE') and (n.signed_at is null or n.signed_at >= a.starts_at)
            and (cast(:appointment_id as uuid) is null or a.id = :appointment_id)
        order by n.id, a.id
        """,
        appointment_id=appointment_id,
    )
    with sim.work(sim.staff_actor(pair.clinician_id)) as work:
        link_note(work, Scope.OWN, pair.appointment_id, pair.version or 0, pair.id)


@service("unlock a session", 0.6)
def unlock(sim: SimulatedPractice) -> None:
    query = DRAFTS.replace(
        "order by",
        "and n.appointment_id in (select id from appointments where status = 'COMPLETED' "
        "and starts_at < cast(:now as timestamptz) - interval '8 days' and note_signed_at is null) order by",
    )
    note = sim.pick(query)
    with sim.work() as work:
        unlock_note_session(work, Scope.ALL, note.id, "The clinician was ill.")
    sim.later(sim.now + sim.choose_span(MINUTE, DAY), "sign a note", note.id)


@service("lock a session", 0.2)
def lock(sim: SimulatedPractice) -> None:
    query = DRAFTS.replace(
        "order by",
        "and n.appointment_id in (select id from appointments where starts_at > cast(:now as timestamptz) "
        "- interval '4 days' and note_signed_at is null) order by",
    )
    note = sim.pick(query)
    with sim.work() as work:
        lock_note_session(work, Scope.ALL, note.id, "Disputed.")
