"""The job of the deadlines: it notes down what the weekly deadline locked, reminds of notes, and tells of late ones.

Each step is for all sessions at once that it is due for, and does nothing where it has been done: any number of runs,
also of several workers, do what one does. A session is locked by rule whether or not this has run.
"""

from datetime import datetime
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, TextClause, func, select, text

from practice.clinical.deadlines.late_notes import days_in_force
from practice.clinical.deadlines.rules import NO_SESSION_NOTES, due_instants
from practice.clinical.reminders import plan_due
from practice.local_time import DAY, WEEK, cut_off, date_of, open_week, start_of_day, week_of
from practice.messages.outbox import ToStaff, tell_staff_once
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work

TOLD_FOR = DAY  # what is due longer than this when the job runs is no news any more: nobody is flooded by a past
RECENT = 5 * WEEK

# A session's week is found in the list of all weeks' beginnings; each has its deadline.
NOTE_LOCKS = text("""
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
                and n.type <> all(:no_session_notes)
        )
""")

# Who is told: whoever has to do something next. What was handed in waits for the supervisor.
WRITER = "s.id = case when n.handed_in then coalesce(v.id, c.id) else c.id end"
SUPERVISOR = "s.id = v.id or (v.id is null and 'admin' = any(s.roles))"
SUPERVISOR_AND_ADMINS = "s.id = v.id or 'admin' = any(s.roles)"

TO_TELL = """
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
            and n.type <> all(:no_session_notes)
    ) as n
    join staff as s
        on s.tenant_id = :tenant_id and ({whom}) and s.deactivated_at is null and coalesce(s.left_on >= :today, true)
    where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.starts_at >= :since and a.starts_at < :until
        and {when} and not n.signed
"""


class Kept(NamedTuple):
    """What a run did: how many sessions it noted as locked, how many messages it planned."""

    locked: int = 0
    told: int = 0


def keep_deadlines(work: Work, *, recent: bool = False) -> Kept:
    """Everything that is due now. `recent` leaves out what there is no hurry for, and costs more: sessions of more than
    some weeks ago, which came in with an import; and plans and supervision, whose rules count in days."""
    alone = func.pg_try_advisory_xact_lock(func.hashtextextended(f"deadlines {work.tenant_id}", 0))
    if not work.db.scalar(select(alone)):
        return Kept()  # somebody is at it
    zone = zone_of(work)
    told = remind_of_week(work, zone) + tell_of_late(work, zone) + (0 if recent else plan_due(work))
    kept = Kept(note_locks(work, zone, recent=recent), told)
    if any(kept):
        work.record("deadlines.kept", **kept._asdict())
    return kept


def note_locks(work: Work, zone: ZoneInfo, *, recent: bool) -> int:
    """From its deadline on, or from when an unlocking ended, a completed session that nobody has signed is locked."""
    first = work.now - RECENT if recent else first_start(work)
    until = open_week(work.now, zone)
    week = until if first is None else week_of(date_of(first, zone))
    weeks = [week + number * WEEK for number in range((until - week) // WEEK)]
    if not weeks:
        return 0
    values = {
        **{"weeks": [start_of_day(week, zone) for week in weeks], "deadlines": [cut_off(week, zone) for week in weeks]},
        **{"since": start_of_day(week, zone), "open_since": start_of_day(until, zone)},
    }
    return run(work, NOTE_LOCKS, values).rowcount


def first_start(work: Work) -> datetime | None:
    query = select(func.min(Appointment.starts_at))
    return work.db.scalar(query.where(Appointment.tenant_id == work.tenant_id, Appointment.status == "COMPLETED"))


def remind_of_week(work: Work, zone: ZoneInfo) -> int:
    """On its Friday and on the day it ends, one message to each who has sessions of the week to sign, however many."""
    week = open_week(work.now, zone)
    return sum(
        tell(
            work,
            zone,
            kind,
            WRITER,
            about="s.id",
            due_at="cast(:due_at as timestamptz)",
            when="a.status_at <= :due_at",  # what is completed later that day was not asked for in the morning
            values={"due_at": at, "since": start_of_day(week, zone), "until": start_of_day(week + WEEK, zone)},
        )
        for kind, at in due_instants(week, zone).items()
        if at <= work.now < at + TOLD_FOR
    )


def tell_of_late(work: Work, zone: ZoneInfo) -> int:
    """The 7-day rule: first the clinician is reminded, then a supervisor told, then the charge held, which supervisor
    and admins hear of. Of a session that is completed late all that is due by then, when it is completed."""
    days = days_in_force(work)
    steps = (
        ("NOTE_LATE_REMINDER", days.remind, WRITER),
        ("NOTE_LATE_ALERT", days.alert, SUPERVISOR),
        ("NOTE_CHARGE_HELD", days.hold, SUPERVISOR_AND_ADMINS),
    )
    return sum(
        tell(
            work,
            zone,
            kind,
            whom,
            about="a.id",
            due_at="a.ends_at + cast(:after as interval)",
            when="""a.ends_at <= :ended_by
                and (a.ends_at > cast(:ended_by as timestamptz) - cast(:told_for as interval)
                    or a.status_at > cast(:now as timestamptz) - cast(:told_for as interval))""",
            values={
                **{"after": number * DAY, "ended_by": work.now - number * DAY, "told_for": TOLD_FOR},
                **{"since": work.now - number * DAY - RECENT, "until": work.now},
            },
        )
        for kind, number, whom in steps
    )


def tell(
    work: Work, zone: ZoneInfo, kind: str, whom: str, *, about: str, due_at: str, when: str, values: dict[str, Any]
) -> int:
    """To those of the staff who are still here."""
    statement = text(TO_TELL.format(about=about, due_at=due_at, when=when, whom=whom))
    found = run(work, statement, values | {"today": date_of(work.now, zone)})
    return tell_staff_once(work, [ToStaff(kind, row.due_at, row.staff_id, row.about_id) for row in found])


def run(work: Work, statement: TextClause, values: dict[str, Any]) -> CursorResult[Any]:
    usual = {"tenant_id": work.tenant_id, "now": work.now, "no_session_notes": list(NO_SESSION_NOTES)}
    return cast(CursorResult[Any], work.db.execute(statement, usual | values))
