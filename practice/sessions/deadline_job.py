"""The deadline job: it records sessions locked by the weekly deadline, and sends reminders and late-note notices.

Each step handles all sessions that are due in one statement and skips what is done already, so any number of runs, also
from several workers, have the effect of one. A session is locked by rule whether or not this job has run.
"""

from datetime import datetime
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, TextClause, func, select, text

from practice.clinical.deadlines.late_notes import load_lateness_days
from practice.clinical.deadlines.rules import NO_SESSION_NOTES, compute_reminder_times
from practice.clinical.reminders import queue_reminders
from practice.local_time import DAY, WEEK, cut_off, date_of, open_week, start_of_day, week_of
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work

# Messages that were due earlier than this are not sent, so that importing a long history floods nobody.
MESSAGE_WINDOW = DAY
RECENT = 5 * WEEK

# `weeks` are the starts of all weeks in order, `deadlines` theirs; a session's week is found by its position.
INSERT_LOCKS = text("""
    insert into session_locks (tenant_id, id, appointment_id, kind, at)
    select a.tenant_id, uuidv7(), a.id, 'LOCKED', greatest(d.deadline, l.until)
    from appointments as a
    cross join lateral (
        select (cast(:deadlines as timestamptz []))[width_bucket(a.starts_at, cast(:weeks as timestamptz []))]
    ) as d (deadline)
    left join lateral (
        select s.kind, s.until from session_locks as s
        where s.tenant_id = :tenant_id and s.appointment_id = a.id and s.at <= :now
        order by s.at desc, s.id desc limit 1
    ) as l on true
    where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.starts_at >= :since and a.starts_at < :open_since
        and (l.kind is null or (l.kind = 'UNLOCKED' and l.until <= :now))
        and not exists (
            select from notes as n
            where n.tenant_id = :tenant_id and n.appointment_id = a.id and n.signed_at is not null
                and n.entered_in_error_at is null and n.type <> all(:no_session_notes)
        )
""")

# Recipients are those who must act next. A note in review waits for the supervisor.
WRITER = "s.id = case when n.handed_in then coalesce(v.id, c.id) else c.id end"
SUPERVISOR = "s.id = v.id or (v.id is null and 'admin' = any(s.roles))"
SUPERVISOR_AND_ADMINS = "s.id = v.id or 'admin' = any(s.roles)"

RECIPIENTS_SQL = """
    select distinct s.id as staff_id, {about} as about_id, {due_at} as due_at
    from appointments as a
    join staff as c on c.tenant_id = :tenant_id and c.id = a.clinician_id
    left join staff as v
        on v.tenant_id = :tenant_id and v.id = c.supervisor_id
            and v.deactivated_at is null and coalesce(v.left_on >= :today, true)
    cross join lateral (
        select coalesce(bool_or(n.signed_at is not null), false) as signed,
            coalesce(bool_or(n.status = 'IN_REVIEW'), false) as handed_in
        from notes as n
        where n.tenant_id = :tenant_id and n.appointment_id = a.id and n.voided_at is null
            and n.entered_in_error_at is null and n.type <> all(:no_session_notes)
    ) as n
    join staff as s
        on s.tenant_id = :tenant_id and ({whom}) and s.deactivated_at is null and coalesce(s.left_on >= :today, true)
    where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.starts_at >= :since and a.starts_at < :until
        and {when} and not n.signed
"""


class DeadlineRun(NamedTuple):
    """The numbers of sessions recorded as locked and of messages queued by a run."""

    locked: int = 0
    messages: int = 0


def run_deadline_job(work: Work, *, recent: bool = False) -> DeadlineRun:
    """Record and send everything that is due now. `recent` skips what is costly and not urgent: sessions of more than
    some weeks ago, which only an import adds, and reminders of plans and supervision, whose rules count in days."""
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"deadlines {work.tenant_id}", 0))
    if not work.db.scalar(select(lock)):
        return DeadlineRun()  # another worker is running the job
    zone = zone_of(work)
    messages = remind_of_unsigned_notes(work, zone) + notify_late_notes(work, zone)
    if not recent:
        messages += queue_reminders(work)
    run = DeadlineRun(record_deadline_locks(work, zone, recent=recent), messages)
    if any(run):
        work.record("deadlines.recorded", locked=run.locked, notified=run.messages)
    return run


def record_deadline_locks(work: Work, zone: ZoneInfo, *, recent: bool) -> int:
    """Record the lock of each completed unsigned session, from its deadline or the end of an unlocking, and return how
    many were recorded."""
    first_start = work.now - RECENT if recent else find_first_start(work)
    current_week = open_week(work.now, zone)
    first_week = current_week if first_start is None else week_of(date_of(first_start, zone))
    weeks = [first_week + number * WEEK for number in range((current_week - first_week) // WEEK)]
    if not weeks:
        return 0
    parameters = {
        "weeks": [start_of_day(week, zone) for week in weeks],
        "deadlines": [cut_off(week, zone) for week in weeks],
        "since": start_of_day(first_week, zone),
        "open_since": start_of_day(current_week, zone),
    }
    return execute(work, INSERT_LOCKS, parameters).rowcount


def find_first_start(work: Work) -> datetime | None:
    query = select(func.min(Appointment.starts_at))
    return work.db.scalar(query.where(Appointment.tenant_id == work.tenant_id, Appointment.status == "COMPLETED"))


def remind_of_unsigned_notes(work: Work, zone: ZoneInfo) -> int:
    """Queue one message to each person with sessions of the week to sign, on its Friday and on the day it ends."""
    week = open_week(work.now, zone)
    return sum(
        queue_messages(
            work,
            zone,
            kind,
            WRITER,
            about="s.id",
            due_at="cast(:due_at as timestamptz)",
            when="a.status_at <= :due_at",  # not sessions completed after the reminder was due
            parameters={"due_at": at, "since": start_of_day(week, zone), "until": start_of_day(week + WEEK, zone)},
        )
        for kind, at in compute_reminder_times(week, zone).items()
        if at <= work.now < at + MESSAGE_WINDOW
    )


def notify_late_notes(work: Work, zone: ZoneInfo) -> int:
    """Queue the messages of the 7-day rule: a reminder to the clinician, an alert to the supervisor, then the notice to
    supervisor and admins that the charge is held. A session completed late gets all that are due at its completion."""
    days = load_lateness_days(work)
    stages = (
        ("NOTE_LATE_REMINDER", days.remind, WRITER),
        ("NOTE_LATE_ALERT", days.alert, SUPERVISOR),
        ("NOTE_CHARGE_HELD", days.hold, SUPERVISOR_AND_ADMINS),
    )
    return sum(
        queue_messages(
            work,
            zone,
            kind,
            recipients,
            about="a.id",
            due_at="a.ends_at + cast(:after as interval)",
            when="""a.ends_at <= :ended_by
                and (a.ends_at > cast(:ended_by as timestamptz) - cast(:told_for as interval)
                    or a.status_at > cast(:now as timestamptz) - cast(:told_for as interval))""",
            parameters={
                "after": number_of_days * DAY,
                "ended_by": work.now - number_of_days * DAY,
                "told_for": MESSAGE_WINDOW,
                "since": work.now - number_of_days * DAY - RECENT,
                "until": work.now,
            },
        )
        for kind, number_of_days, recipients in stages
    )


def queue_messages(
    work: Work,
    zone: ZoneInfo,
    kind: str,
    recipients: str,
    *,
    about: str,
    due_at: str,
    when: str,
    parameters: dict[str, Any],
) -> int:
    """Queue a message to each active recipient, once, and return how many are new. All but the kind are SQL."""
    statement = text(RECIPIENTS_SQL.format(about=about, due_at=due_at, when=when, whom=recipients))
    rows = execute(work, statement, parameters | {"today": date_of(work.now, zone)})
    return queue_staff_messages_once(work, [StaffMessage(kind, row.due_at, row.staff_id, row.about_id) for row in rows])


def execute(work: Work, statement: TextClause, parameters: dict[str, Any]) -> CursorResult[Any]:
    common = {"tenant_id": work.tenant_id, "now": work.now, "no_session_notes": list(NO_SESSION_NOTES)}
    return cast(CursorResult[Any], work.db.execute(statement, common | parameters))
