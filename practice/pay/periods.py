"""Pay periods: what each session is worth, and what a week pays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.notes.deadline_rules import WEEK, cut_off, week_of
from practice.pay.pay_rules import amount_cents, default_multiplier, paid_week, week_problem
from practice.people.models import Practice
from practice.people.service import Invalid
from practice.scheduling.wall_clock import date_of, instant
from practice.security.work import Work

Kind = Literal["regular", "late"]

# A group is one session: completed with the last of its completed seats, signed when the notes of all of them are.
# Its id is the smallest of those seats'. Of a rate or a multiplier that one counts which was known at the instant.
SESSIONS = text("""
    with notes as materialized (
        select appointment_id, min(signed_at) as signed_at from notes
        where tenant_id = :tenant_id and appointment_id is not null and signed_at <= :as_of and created_at <= :as_of
            and type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
        group by appointment_id
    ),

    sessions as (
        select
            min(coalesce(a.external_id, a.id::text) collate "C") as appointment_id,
            a.clinician_id, a.service_id,
            min(a.starts_at) as starts_at,
            max(a.status_at) as completed_at,
            case when count(n.signed_at) = count(*) then max(n.signed_at) end as signed_at
        from appointments as a
        left join notes as n on n.appointment_id = a.id
        where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.status_at <= :as_of
            and a.starts_at < :week_end
        group by coalesce(a.group_session_id, a.id), a.clinician_id, a.service_id
    )

    select s.*, v.kind, v.minutes, coalesce(t.external_id, t.id::text) as staff_id, r.rate_cents, m.multiplier
    from sessions as s
    join services as v on v.tenant_id = :tenant_id and v.id = s.service_id
    join staff as t on t.tenant_id = :tenant_id and t.id = s.clinician_id
    cross join lateral (select (s.starts_at at time zone :zone)::date as on_date) as l
    left join lateral (
        select p.rate_cents from pay_rates as p
        where p.tenant_id = :tenant_id and p.staff_id = s.clinician_id and p.set_at <= :as_of
            and (p.effective_on is null or p.effective_on <= l.on_date)
        order by p.effective_on desc nulls last, p.set_at desc, p.id desc
        limit 1
    ) as r on true
    left join lateral (
        select p.multiplier from pay_multipliers as p
        where p.tenant_id = :tenant_id and p.kind = v.kind and p.set_at <= :as_of and p.effective_on <= l.on_date
            and (p.staff_id is null or p.staff_id = s.clinician_id)
        order by p.staff_id is null, p.effective_on desc, p.set_at desc, p.id desc
        limit 1
    ) as m on true
    where s.completed_at < :cut_off
        and (s.signed_at is null or s.signed_at >= :cut_off_before or s.completed_at >= :cut_off_before
            or s.starts_at >= :week_start)
    order by s.starts_at, s.appointment_id
""")


@dataclass(frozen=True)
class Line:
    """What a session is worth. Where nobody set a rate it has none, and no amount."""

    staff_id: str
    appointment_id: str
    minutes: int
    multiplier: Decimal
    rate_cents: int
    amount_cents: int
    kind: Kind | None = None  # of what stands by: none


@dataclass(frozen=True)
class Preview:
    week: date
    cut_off: datetime
    lines: list[Line]
    standby: list[Line]
    problems: list[str] = field(default_factory=list)

    @property
    def totals(self) -> dict[str, int]:
        """In cents, of everybody who has lines."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.staff_id] = found.get(line.staff_id, 0) + line.amount_cents
        return found


def preview(work: Work, week: date, as_of: datetime) -> Preview:
    """What the week pays by what was known at the instant, and what would be paid if it were signed."""
    problem = week_problem(week)
    if problem:
        raise Invalid([problem])
    zone = ZoneInfo(work.db.get_one(Practice, work.tenant_id).time_zone)
    end = cut_off(week, zone)
    lines, standby, unpaid = [], [], set()
    for session in sessions(work, week, zone, as_of):
        signed = session.signed_at is not None and session.signed_at < end
        own_week = week_of(date_of(session.starts_at, zone))
        done_at = max(session.completed_at, session.signed_at) if signed else None
        if done_at is not None and paid_week(own_week, done_at, zone) != week:
            continue
        if session.rate_cents is None:
            unpaid.add(session.staff_id)
            continue
        if done_at is None:
            standby.append(line_of(session))
        else:
            lines.append(line_of(session, "regular" if own_week == week else "late"))
    return Preview(week, end, lines, standby, [rate_problem(staff_id) for staff_id in sorted(unpaid)])


def sessions(work: Work, week: date, zone: ZoneInfo, as_of: datetime) -> Sequence[Any]:
    """Those completed before the week's cut-off that were not paid before it."""
    return work.db.execute(
        SESSIONS,
        {
            "tenant_id": work.tenant_id,
            "as_of": as_of,
            "zone": zone.key,
            "week_start": instant(week, time.min, zone),
            "week_end": instant(week + WEEK, time.min, zone),
            "cut_off_before": cut_off(week - WEEK, zone),
            "cut_off": cut_off(week, zone),
        },
    ).all()


def line_of(session: Any, kind: Kind | None = None) -> Line:
    multiplier = default_multiplier(session.kind) if session.multiplier is None else session.multiplier
    return Line(
        staff_id=session.staff_id,
        appointment_id=session.appointment_id,
        minutes=session.minutes,
        multiplier=multiplier,
        rate_cents=session.rate_cents,
        amount_cents=amount_cents(session.rate_cents, multiplier, session.minutes),
        kind=kind,
    )


def rate_problem(staff_id: str) -> str:
    return f"{staff_id} has sessions and no base rate. Set one from a date on; until then nothing is paid for them."
