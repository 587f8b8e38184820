"""Reminders of compliance checks: a message to those who have to act, at most once a day for each person and check."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from practice.clinical.reminders import Recipients
from practice.dashboards.compliance_checks import CHECKS, Check, CheckKey, Row, Selection, load_findings
from practice.dashboards.compliance_scope import find_clinician_ids
from practice.errors import NotFound, Refusal
from practice.local_time import start_of_day
from practice.messages.models import Message
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today, zone_of
from practice.security.permissions import Scope
from practice.security.work import Work

KINDS = {key: f"COMPLIANCE_{key.upper()}" for key in CHECKS}
"""The kind of the message of each check. Its day is in `due_at`, so that the outbox itself takes one a day."""
MAX_REMINDED = 1000


class NothingLate(Refusal):
    """Nobody can be reminded of this check: none is late.

    Fix: load the page again. To remind somebody of a check that is only due, choose the person.
    """

    code = "NOTHING_LATE"


@dataclass(frozen=True)
class Reminded:
    """The messages that were planned, how many others had been planned earlier today, and who gets them."""

    planned: int
    already: int
    staff_ids: list[UUID]


def send_reminders(work: Work, scope: Scope, check: Check, subject_id: UUID | None) -> Reminded:
    """Plan a message about one person's check, or about all that are late, to those who have to act."""
    today = local_today(work)
    selection = Selection(check.key, None if subject_id else "late", MAX_REMINDED)
    rows = load_findings(work, find_clinician_ids(work, scope, None), [today], selection).rows
    if subject_id is not None:
        rows = [row for row in rows if row.subject_id == subject_id]
        if not rows:
            raise NotFound
    if not rows:
        raise NothingLate("None of these checks is late now. Load the page again.")
    zone = zone_of(work)
    recipients, due_at = Recipients(work, zone), start_of_day(today, zone)
    messages = [
        StaffMessage(KINDS[check.key], due_at, staff_id, row.subject_id)
        for row in rows
        for staff_id in find_recipients(recipients, row)
    ]
    planned = queue_staff_messages_once(work, messages)
    work.record("compliance.reminded", check.subject, subject_id, check=check.key, planned=planned)
    return Reminded(planned, len(messages) - planned, sorted({message.staff_id for message in messages}))


def find_recipients(recipients: Recipients, row: Row) -> list[UUID]:
    """Return who has to act and still works here, or else the supervisor, or else the admins."""
    supervisor_id = recipients.supervisor_of.get(row.clinician_id) if row.clinician_id else None
    return {
        "clinician": lambda: recipients.choose_first(row.clinician_id, supervisor_id),
        "staff_member": lambda: recipients.choose_first(row.clinician_id, supervisor_id),
        "supervisor": lambda: recipients.choose_first(supervisor_id),
        "front_desk": lambda: recipients.front_desk_ids or recipients.admin_ids,
        "admins": lambda: recipients.admin_ids,
    }[row.check.acts]()


def list_reminded_today(work: Work, today: date) -> dict[CheckKey, dict[UUID, datetime]]:
    """Return by check whom or what somebody was reminded of today, and when."""
    staff_ids = select(Staff.id).where(Staff.tenant_id == work.tenant_id)
    query = select(Message.kind, Message.about_id, Message.created_at).where(
        Message.tenant_id == work.tenant_id,
        Message.staff_id.in_(staff_ids),  # the columns of the index, from the first
        Message.kind.in_(KINDS.values()),
        Message.due_at == start_of_day(today, zone_of(work)),
    )
    reminded: dict[CheckKey, dict[UUID, datetime]] = {key: {} for key in CHECKS}
    keys = {kind: key for key, kind in KINDS.items()}
    for kind, about_id, created_at in work.db.execute(query):
        if about_id is not None:
            reminded[keys[kind]][about_id] = created_at
    return reminded
