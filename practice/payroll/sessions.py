"""Sessions for pay: when each was completed and signed, its rate and multiplier, and what was paid for it so far.

A session is an appointment, or all completed seats of a group together. It is completed with its last seat, signed when
the notes of all seats are signed, and represented by the seat with the smallest id. A voided seat no longer belongs to
its session, and delays it at most until it was voided. Minutes and kind come from the completion, or from the service
if there is none; a paid session keeps its seat, minutes and kind. Rates, multipliers, signatures, voids and closed
weeks count if they were known at the instant.
"""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text

from practice.local_time import DAY, LOCAL_ZONE_SQL, WEEK, cut_off, start_of_day, to_parameters
from practice.payroll.models import REASONS, PayPeriod
from practice.payroll.rules import compute_amount_cents, get_default_multiplier
from practice.scheduling.models.appointments import COMPLETED_LATE_SQL
from practice.security.work import Work


class PayableSession(NamedTuple):
    """A session with all that its pay depends on: a row of `SESSIONS_SQL`, with its columns in order."""

    session_id: UUID  # the id of the group session, or else of the appointment
    seats: list[UUID]
    starts_at: datetime
    is_active: bool  # at least one seat is not voided
    counts: bool  # at least one seat is not voided and has a signed note
    completed_at: datetime | None  # None if all seats are voided
    signed_at: datetime | None
    done_at: datetime | None  # when the last seat was completed and signed, or voided
    appointment_id: UUID  # the seat that represents the session
    appointment: str  # `appointment` and `staff` are external ids
    reference: str
    staff_id: UUID
    staff: str
    staff_name: str
    held_on: date
    service_kind: str
    minutes: int
    rate_cents: int | None
    multiplier: Decimal | None  # None if the default applies
    paid_week: date | None
    paid_cents: int | None  # with adjustments
    last_reason: str | None  # of the last adjustment
    was_pending: bool  # in the last closed week


SEATS = """
        select
            a.id, coalesce(a.group_session_id, a.id) as session_id, coalesce(a.external_id, a.id::text) as name,
            a.clinician_id, a.service_id, a.starts_at, a.status_at
        from appointments as a
        where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.status_at <= :as_of
"""

# Appointments that were completed at the instant and whose completion was undone later: none, unless it is in the past.
UNDONE_SEATS = """
        select
            a.id, coalesce(a.group_session_id, a.id) as session_id, coalesce(a.external_id, a.id::text) as name,
            a.clinician_id, a.service_id, a.starts_at, u.since as status_at
        from session_corrections as u
        join appointments as a on a.tenant_id = :tenant_id and a.id = u.appointment_id
        where u.tenant_id = :tenant_id and u.undone = 'COMPLETION' and u.since <= :as_of and u.at > :as_of
"""

# While no week is closed, every completed session may still have to be paid.
ALL_SEATS = f"""
    seats as (
        {SEATS} and a.starts_at < :week_end
        union all
        {UNDONE_SEATS} and a.starts_at < :week_end
    )
"""

# The session ids are one array, and each seat is looked up by its id, so that the cost depends on the selected sessions
# and not on the history. `limit` and `offset` below make the planner keep to these lookups row by row.
SELECTED_SEATS = f"""
    seats as (
        {SEATS} and a.id = any(array(select session_id from wanted))
        union all
        {SEATS} and a.group_session_id = any(array(select session_id from wanted))
        union all
        {UNDONE_SEATS} and coalesce(a.group_session_id, a.id) = any(array(select session_id from wanted))
    )
"""

# The sessions that the last closed week left unpaid: held since it began, pending when it was closed, completed later,
# of staff without a rate, or with a completion or void that was undone since. All others were paid by that week or
# before it, or are not paid here at all. Sessions held before that week and completed after its cut-off were a week
# late, so they are among the few completed five days late. Staff without a rate before a date had none until it began
# in their time zone, which is within two days of it.
UNPAID_SESSIONS = f"""
    select coalesce(a.group_session_id, a.id) as session_id from appointments as a
    where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.starts_at >= :since and a.starts_at < :week_end
    union
    select l.session_id from pay_lines as l
    where l.tenant_id = :tenant_id and l.period_id = :period_id and l.kind = 'standby'
    union
    select coalesce(group_session_id, id) from appointments
    where tenant_id = :tenant_id and {COMPLETED_LATE_SQL} and status_at >= :completed_since and starts_at < :since
    union
    select a.session_id
    from staff as t
    cross join lateral (
        select least(:since, coalesce(min(coalesce(x.effective_on, '-infinity')) + 2, 'infinity')) as until
        from pay_rates as x
        where x.tenant_id = :tenant_id and x.staff_id = t.id and x.set_at <= :known_since
    ) as r
    cross join lateral (
        select coalesce(a.group_session_id, a.id) as session_id from appointments as a
        where a.tenant_id = :tenant_id and a.clinician_id = t.id and a.status = 'COMPLETED'
            and a.starts_at < r.until
        offset 0
    ) as a
    where t.tenant_id = :tenant_id
    union
    select a.session_id from session_corrections as u
    cross join lateral (
        select coalesce(a.group_session_id, a.id) as session_id from appointments as a
        where a.tenant_id = :tenant_id and a.id = u.appointment_id
        limit 1
    ) as a
    where u.tenant_id = :tenant_id and u.at > :known_since
"""

# Added to those: paid sessions whose pay may have changed. Since the last week was closed, a rate or multiplier that
# applies was set or the session was voided; or it is a group with a voided seat or a session whose note was entered in
# error, which count again once another seat or note is signed. Sessions held since a date were paid by that date's week
# or later, so only lines of those weeks are read.
CHANGED_SESSIONS = """
    union
    select l.session_id from pay_rates as r
    join pay_periods as q on q.tenant_id = r.tenant_id and q.week > coalesce(r.effective_on, '-infinity') - 7
    join pay_lines as l
        on l.tenant_id = r.tenant_id and l.staff_id = r.staff_id and l.period_id = q.id
            and l.kind in ('regular', 'late') and l.held_on >= coalesce(r.effective_on, '-infinity')
    where r.tenant_id = :tenant_id and r.set_at > :known_since and r.set_at <= :as_of
    union
    select l.session_id from pay_multipliers as m
    join pay_periods as q on q.tenant_id = m.tenant_id and q.week > m.effective_on - 7
    join pay_lines as l
        on l.tenant_id = m.tenant_id and l.period_id = q.id and l.service_kind = m.kind
            and l.kind in ('regular', 'late') and l.held_on >= m.effective_on
            and (m.staff_id is null or m.staff_id = l.staff_id)
    where m.tenant_id = :tenant_id and m.set_at > :known_since and m.set_at <= :as_of
    union
    select a.session_id from session_completions as c
    cross join lateral (
        select coalesce(a.group_session_id, a.id) as session_id, a.group_session_id from appointments as a
        where a.tenant_id = :tenant_id and a.id = c.id
        limit 1
    ) as a
    where c.tenant_id = :tenant_id and c.voided_at <= :as_of
        and (c.voided_at > :known_since or a.group_session_id is not null)
    union
    select a.session_id from notes as n
    cross join lateral (
        select coalesce(a.group_session_id, a.id) as session_id from appointments as a
        where a.tenant_id = :tenant_id and a.id = n.appointment_id
        limit 1
    ) as a
    where n.tenant_id = :tenant_id and n.entered_in_error_at <= :as_of
"""

SESSIONS_OF_APPOINTMENTS = """
    select coalesce(a.group_session_id, a.id) as session_id from appointments as a
    where a.tenant_id = :tenant_id and a.id = any(:appointment_ids)
"""

SESSIONS_SQL = """
    with {seats},

    seated as (
        select
            s.*, c.kind, c.minutes,
            case when c.voided_at <= :as_of then c.voided_at else u.since end as voided_at
        from (
            select s.*, min(n.signed_at) as signed_at
            from seats as s
            left join notes as n
                on n.tenant_id = :tenant_id and n.appointment_id = s.id
                    and n.signed_at <= :as_of and n.created_at <= :as_of
                    and (n.entered_in_error_at is null or n.entered_in_error_at > :as_of)
                    and n.type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
            group by s.id, s.session_id, s.name, s.clinician_id, s.service_id, s.starts_at, s.status_at
        ) as s
        left join session_completions as c on c.tenant_id = :tenant_id and c.id = s.id
        left join session_corrections as u
            on u.tenant_id = :tenant_id and u.appointment_id = s.id and u.undone = 'VOID'
                and u.since <= :as_of and u.at > :as_of
    ),

    sessions as materialized (
        select
            session_id,
            array_agg(id order by voided_at is not null, name collate "C") as seats,
            (array_agg(kind order by voided_at is not null, name collate "C"))[1] as kind,
            (array_agg(minutes order by voided_at is not null, name collate "C"))[1] as minutes,
            min(starts_at) as starts_at,
            bool_or(voided_at is null) as is_active,
            bool_or(voided_at is null and signed_at is not null) as counts,
            max(status_at) filter (where voided_at is null) as completed_at,
            case when bool_and(voided_at is not null or signed_at is not null)
                then max(signed_at) filter (where voided_at is null) end as signed_at,
            nullif(
                max(least(greatest(status_at, coalesce(signed_at, 'infinity')), voided_at)), 'infinity'
            ) as done_at
        from seated
        group by session_id
    )

    select
        s.session_id, s.seats, s.starts_at, s.is_active, s.counts, s.completed_at, s.signed_at, s.done_at,
        a.id as appointment_id, coalesce(a.external_id, a.id::text) as appointment, a.reference,
        t.id as staff_id, coalesce(t.external_id, t.id::text) as staff,
        t.first_name || ' ' || t.last_name as staff_name,
        l.held_on, l.service_kind, l.minutes, r.rate_cents, m.multiplier,
        s.paid_week, s.paid_cents + coalesce(j.amount_cents, 0) as paid_cents, j.last_reason,
        exists (
            select from pay_lines as w
            where w.tenant_id = :tenant_id and w.period_id = cast(:period_id as uuid)
                and w.session_id = s.session_id and w.kind = 'standby'
        ) as was_pending
    from (
        select
            s.session_id, s.seats, s.starts_at, s.is_active, s.counts, s.completed_at, s.signed_at, s.done_at,
            coalesce(p.appointment_id, s.seats[1]) as appointment_id,
            coalesce(p.held_on, (s.starts_at at time zone {zone})::date) as held_on,
            coalesce(p.service_kind, s.kind) as service_kind, coalesce(p.minutes, s.minutes) as minutes,
            p.week as paid_week, p.amount_cents as paid_cents
        from sessions as s
        left join lateral (
            select l.appointment_id, l.service_kind, l.held_on, l.minutes, l.amount_cents, q.week
            from pay_lines as l
            join pay_periods as q on q.tenant_id = l.tenant_id and q.id = l.period_id and q.closed_at <= :as_of
            where l.tenant_id = :tenant_id and l.session_id = s.session_id and l.kind in ('regular', 'late')
        ) as p on true
        offset 0
    ) as s
    left join lateral (
        select sum(l.amount_cents)::bigint as amount_cents, (array_agg(l.reason order by q.week desc))[1] as last_reason
        from pay_lines as l
        join pay_periods as q on q.tenant_id = l.tenant_id and q.id = l.period_id and q.closed_at <= :as_of
        where s.paid_week is not null and l.tenant_id = :tenant_id and l.session_id = s.session_id
            and l.reason = any('{{{reasons}}}')
    ) as j on true
    cross join lateral (
        select a.id, a.external_id, a.reference, a.service_id, a.clinician_id from appointments as a
        where a.tenant_id = :tenant_id and a.id = s.appointment_id
        limit 1
    ) as a
    join services as v on v.tenant_id = :tenant_id and v.id = a.service_id
    join staff as t on t.tenant_id = :tenant_id and t.id = a.clinician_id
    cross join lateral (
        select
            s.held_on, coalesce(s.service_kind, v.kind) as service_kind, coalesce(s.minutes, v.minutes) as minutes
    ) as l
    left join lateral (
        select x.rate_cents from pay_rates as x
        where x.tenant_id = :tenant_id and x.staff_id = t.id and x.set_at <= :as_of
            and (x.effective_on is null or x.effective_on <= l.held_on)
        order by x.effective_on desc nulls last, x.set_at desc, x.id desc
        limit 1
    ) as r on true
    left join lateral (
        select x.multiplier from pay_multipliers as x
        where x.tenant_id = :tenant_id and x.kind = l.service_kind and x.set_at <= :as_of
            and x.effective_on <= l.held_on and (x.staff_id is null or x.staff_id = t.id)
        order by x.staff_id is null, x.effective_on desc, x.set_at desc, x.id desc
        limit 1
    ) as m on true
    where {condition}
    order by s.starts_at, s.session_id
"""


def build_statement(seats: str, condition: str = "true", session_ids: str = "") -> TextClause:
    """Return `SESSIONS_SQL` for the seats; `session_ids` is the query that selects the sessions of `SELECTED_SEATS`."""
    tables = f"wanted as materialized ({session_ids}), {seats}" if session_ids else seats
    zone = LOCAL_ZONE_SQL.format(at="s.starts_at")
    return text(SESSIONS_SQL.format(seats=tables, condition=condition, reasons=", ".join(REASONS), zone=zone))


SELECT_ALL = build_statement(
    ALL_SEATS,
    """s.is_active and s.completed_at < :cut_off
        and (s.done_at is null or s.done_at >= :cut_off_before or s.starts_at >= :week_start)""",
)
SELECT_UNPAID = build_statement(SELECTED_SEATS, session_ids=UNPAID_SESSIONS)
SELECT_UNPAID_OR_CHANGED = build_statement(SELECTED_SEATS, session_ids=UNPAID_SESSIONS + CHANGED_SESSIONS)
SELECT_BY_APPOINTMENT = build_statement(SELECTED_SEATS, session_ids=SESSIONS_OF_APPOINTMENTS)


def load_sessions_of_week(
    work: Work, week: date, zone: ZoneInfo, as_of: datetime, last_closed: PayPeriod | None, *, include_paid: bool
) -> list[PayableSession]:
    """Return the sessions that a week may have to pay or hold pending, by what was known at the instant; with
    `include_paid` also those that it may have to adjust. `last_closed` is the last week closed by then."""
    parameters = {
        "tenant_id": work.tenant_id,
        "as_of": as_of,
        **to_parameters(zone),
        "week_end": start_of_day(week + WEEK, zone),
        "period_id": None,
    }
    if last_closed is None or last_closed.closed_at is None:
        parameters |= {
            "week_start": start_of_day(week, zone),
            "cut_off_before": cut_off(week - WEEK, zone),
            "cut_off": cut_off(week, zone),
        }
        return execute(work, SELECT_ALL, parameters)
    # A day earlier than the closing, which may have missed transactions that ended while it ran.
    parameters |= {
        "period_id": last_closed.id,
        "since": start_of_day(last_closed.week, zone),
        "completed_since": cut_off(last_closed.week, zone) - DAY,
        "known_since": last_closed.closed_at - DAY,
    }
    return execute(work, SELECT_UNPAID_OR_CHANGED if include_paid else SELECT_UNPAID, parameters)


def load_sessions(
    work: Work, appointment_ids: Collection[UUID], zone: ZoneInfo, as_of: datetime
) -> list[PayableSession]:
    """Return the sessions of these appointments, by what was known at the instant."""
    parameters = {
        "tenant_id": work.tenant_id,
        "as_of": as_of,
        **to_parameters(zone),
        "period_id": None,
        "appointment_ids": list(appointment_ids),
    }
    return execute(work, SELECT_BY_APPOINTMENT, parameters)


def execute(work: Work, statement: TextClause, parameters: dict[str, Any]) -> list[PayableSession]:
    return [PayableSession(*row) for row in work.db.execute(statement, parameters)]


def get_multiplier(session: PayableSession) -> Decimal:
    return get_default_multiplier(session.service_kind) if session.multiplier is None else session.multiplier


def require_rate_cents(session: PayableSession) -> int:
    """Return the base rate of a session that has one: every session that is paid does."""
    if session.rate_cents is None:
        raise ValueError("session without a base rate")
    return session.rate_cents


def compute_value_cents(session: PayableSession) -> int:
    """Return the pay for a session that has a rate."""
    return compute_amount_cents(require_rate_cents(session), get_multiplier(session), session.minutes)


def compute_correction_cents(session: PayableSession) -> int:
    """Return what a paid session is worth now minus what it was paid. Without a signed seat it is worth nothing."""
    value_cents = compute_value_cents(session) if session.counts else 0
    return value_cents - (session.paid_cents or 0)
