"""Who writes the note of a session: its clinician, or somebody who finishes it for a clinician who has left."""

from practice.clinical.deadlines.rules import can_finish_for_leaver
from practice.people.practice_time import local_today
from practice.people.staff import get_staff, has_left
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work


def can_write_about(work: Work, session: Appointment) -> bool:
    """Return whether the actor can write the session's note now: of a leaver's session only a missing one."""
    if session.clinician_id == work.actor.staff_id:
        return True
    return session.status == "COMPLETED" and session.note_signed_at is None and is_writer_of(work, session)


def is_writer_of(work: Work, session: Appointment) -> bool:
    """Return whether the actor held the session, or finishes the notes of the clinician, who has left."""
    if session.clinician_id == work.actor.staff_id:
        return True
    clinician = get_staff(work, session.clinician_id)
    is_supervisor = clinician.supervisor_id == work.actor.staff_id
    return has_left(clinician, local_today(work)) and can_finish_for_leaver(work.actor.roles, is_supervisor)
