"""Sessions as pay sees them: when each was completed and signed, what it is worth, and what was paid for it so far.

A session is an appointment, or all the seats of a group together. It is completed with the last of its completed seats
and signed when the notes of all of them are, and appears under the smallest id of those seats; a seat whose completion
is voided no longer belongs to it, and held it up no longer than until it was. Minutes and kind are those of the
completion, or of the service where there is none. What was paid keeps its seat, minutes and kind. Of rates,
multipliers, signatures, voids and closed weeks those count that were known at the instant.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text

from practice.local_time import DAY, WEEK, cut_off, instant
from practice.payroll.models import REASONS, PayPeriod
from practice.payroll.rules import amount_cents, default_multiplier
from practice.scheduling.models.appointments import COMPLETED_LATE
from practice.security.work import Work

SEATS = """
        select
            a.id, coalesce(a.group_session_id, a.id) as session_id, coalesce(a.external_id, a.id::text) as name,
            a.clinician_id, a.service_id, a.starts_at, a.status_at
        from appointments as a
        where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.status_at <= :as_of
"""

# Without a closed week anything that was ever completed may still have to be paid.
ALL_SEATS = f"seats as ({SEATS} and a.starts_at < :week_end)"

# As an array, made once, each of which is looked up by its id: so the cost follows the sessions meant, not the history.
# A limit or an offset in what follows keeps the database at that: it looks up row by row.
SEATS_OF_WANTED = f"""
    seats as (
        {SEATS} and a.id = any(array(select session_id from wanted))
        union all
        {SEATS} and a.group_session_id = any(array(select session_id from wanted))
    )
"""

# What the last closed week has left: what was held since it began, what stood by when it was closed, what was completed
# later, and what nobody had set a rate for. Everything else was paid by it or before, or is not paid here at all.
# What was held before that week began and completed after its cut-off was a week late, so it is among the few that were
# five days late. Who had no rate before a date had none until it began in their zone, which is within two days of it.
LEFT = f"""
    select coalesce(a.group_session_id, a.id) as session_id from appointments as a
    where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.starts_at >= :since and a.starts_at < :week_end
    union
    select l.session_id from pay_lines as l
    where l.tenant_id = :tenant_id and l.period_id = :period_id and l.kind = 'standby'
    union
    select coalesce(group_session_id, id) from appointments
    where tenant_id = :tenant_id and {COMPLETED_LATE} and status_at >= :completed_since and starts_at < :since
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
"""

# What was paid and may be worth something else by now: since the last week was closed a rate or a multiplier was set
# that reaches it, it was voided, or it is a group with a voided seat, for another that is signed later makes it count.
# What was held since a date was paid by the week that the date lies in, or later: so only their lines are looked up.
TOUCHED = """
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
"""

NAMED = """
    select coalesce(a.group_session_id, a.id) as session_id from appointments as a
    where a.tenant_id = :tenant_id and a.id = any(:appointment_ids)
"""

SESSIONS = """
    with {seats},

    seated as (
        select s.*, c.kind, c.minutes, case when c.voided_at <= :as_of then c.voided_at end as voided_at
        from (
            select s.*, min(n.signed_at) as signed_at
            from seats as s
            left join notes as n
                on n.tenant_id = :tenant_id and n.appointment_id = s.id
                    and n.signed_at <= :as_of and n.created_at <= :as_of
                    and n.type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
            group by s.id, s.session_id, s.name, s.clinician_id, s.service_id, s.starts_at, s.status_at
        ) as s
        left join session_completions as c on c.tenant_id = :tenant_id and c.id = s.id
    ),

    sessions as materialized (
        select
            session_id,
            array_agg(id order by voided_at is not null, name collate "C") as seats,
            (array_agg(kind order by voided_at is not null, name collate "C"))[1] as kind,
            (array_agg(minutes order by voided_at is not null, name collate "C"))[1] as minutes,
            min(starts_at) as starts_at,
            bool_or(voided_at is null) as stands,
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
        s.session_id, s.seats, s.starts_at, s.stands, s.counts, s.completed_at, s.signed_at, s.done_at,
        a.id as appointment_id, coalesce(a.external_id, a.id::text) as appointment, a.reference,
        t.id as staff_id, coalesce(t.external_id, t.id::text) as staff,
        l.held_on, l.service_kind, l.minutes, r.rate_cents, m.multiplier,
        s.paid_week, s.paid_cents + coalesce(j.amount_cents, 0) as paid_cents, j.last_reason,
        exists (
            select from pay_lines as w
            where w.tenant_id = :tenant_id and w.period_id = cast(:period_id as uuid)
                and w.session_id = s.session_id and w.kind = 'standby'
        ) as stood_by
    from (
        select
            s.session_id, s.seats, s.starts_at, s.stands, s.counts, s.completed_at, s.signed_at, s.done_at,
            coalesce(p.appointment_id, s.seats[1]) as appointment_id,
            coalesce(p.held_on, (s.starts_at at time zone :zone)::date) as held_on,
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


def asking(seats: str, condition: str = "true", wanted: str = "") -> TextClause:
    chosen = f"wanted as materialized ({wanted}), {seats}" if wanted else seats
    return text(SESSIONS.format(seats=chosen, condition=condition, reasons=", ".join(REASONS)))


EVER = asking(
    ALL_SEATS,
    """s.stands and s.completed_at < :cut_off
        and (s.done_at is null or s.done_at >= :cut_off_before or s.starts_at >= :week_start)""",
)
SINCE_CLOSED = asking(SEATS_OF_WANTED, wanted=LEFT)
SINCE_CLOSED_OR_TOUCHED = asking(SEATS_OF_WANTED, wanted=LEFT + TOUCHED)
THESE = asking(SEATS_OF_WANTED, wanted=NAMED)


def sessions_of_week(
    work: Work, week: date, zone: ZoneInfo, as_of: datetime, last: PayPeriod | None, *, with_paid: bool
) -> Sequence[Any]:
    """Those that the week may have to pay or let stand by, by what was known at the instant; `with_paid`, also those
    that it may have to correct. `last` is the last week that was closed then."""
    values = {
        "tenant_id": work.tenant_id,
        "as_of": as_of,
        "zone": zone.key,
        "week_end": instant(week + WEEK, time.min, zone),
        "period_id": None,
    }
    if last is None or last.closed_at is None:
        values |= {
            "week_start": instant(week, time.min, zone),
            "cut_off_before": cut_off(week - WEEK, zone),
            "cut_off": cut_off(week, zone),
        }
        return work.db.execute(EVER, values).all()
    # A day further back: whoever wrote at the moment of closing may have been seen too late.
    values |= {
        "period_id": last.id,
        "since": instant(last.week, time.min, zone),
        "completed_since": cut_off(last.week, zone) - DAY,
        "known_since": last.closed_at - DAY,
    }
    return work.db.execute(SINCE_CLOSED_OR_TOUCHED if with_paid else SINCE_CLOSED, values).all()


def sessions_of(work: Work, appointment_ids: Collection[UUID], zone: ZoneInfo, as_of: datetime) -> Sequence[Any]:
    """Those that these appointments belong to."""
    values = {"tenant_id": work.tenant_id, "as_of": as_of, "zone": zone.key, "period_id": None}
    return work.db.execute(THESE, values | {"appointment_ids": list(appointment_ids)}).all()


def multiplier_of(session: Any) -> Decimal:
    return default_multiplier(session.service_kind) if session.multiplier is None else session.multiplier


def worth_cents(session: Any) -> int:
    """Of one that has a rate."""
    return amount_cents(session.rate_cents, multiplier_of(session), session.minutes)


def deserved_cents(session: Any) -> int:
    """Of what was paid, by what is known of it now: nothing when no seat stands any more whose note is signed."""
    return worth_cents(session) if session.counts else 0
