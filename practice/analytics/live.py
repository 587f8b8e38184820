"""The values that are read from the records at once: kept visits, unsigned notes, today's schedule.

Their definitions are those of the warehouse; a test compares them with a refresh.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.analytics.periods import start_of_period
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.local_time import DAY, date_before, start_of_day
from practice.metric_dictionary import METRICS, Metric
from practice.people.practice_time import zone_of
from practice.people.settings import get_setting_on
from practice.security.work import Work

KEPT_SQL = """
    select
        count(*) filter (where a.status = 'COMPLETED'), count(*) filter (where a.status in ('NO_SHOW', 'CANCELLED'))
    from appointments as a
    where a.tenant_id = :tenant_id and a.starts_at >= :since and a.starts_at < :until
        and (cast(:clinician_id as uuid) is null or a.clinician_id = :clinician_id)
"""
UNSIGNED_SQL = """
    select a.clinician_id, count(*), count(*) filter (where a.ends_at < :late_before), min(a.starts_at)
    from appointments as a
    where a.tenant_id = :tenant_id and a.status = 'COMPLETED' and a.starts_at < :now
        and (cast(:clinician_id as uuid) is null or a.clinician_id = :clinician_id)
        and not exists (
            select from notes as n
            where n.tenant_id = a.tenant_id and n.appointment_id = a.id and n.signed_at <= :now
                and n.type <> all(:no_session_notes)
                and n.voided_at is null and n.entered_in_error_at is null
        )
        and (:with_review or not exists (
            select from notes as n
            where n.tenant_id = a.tenant_id and n.appointment_id = a.id and n.status = 'IN_REVIEW'
                and n.type <> all(:no_session_notes) and n.voided_at is null
        ))
    group by a.clinician_id
"""
TODAY_SQL = """
    select a.status, count(*) from appointments as a
    where a.tenant_id = :tenant_id and a.starts_at >= :since and a.starts_at < :until and a.status <> 'RESCHEDULED'
        and (cast(:clinician_id as uuid) is null or a.clinician_id = :clinician_id)
    group by a.status
"""
CROSSES: Mapping[str, tuple[str, Callable[[Decimal, int], bool]]] = MappingProxyType(
    {
        "alert_below": ("alert", operator.lt),
        "alert_above": ("alert", operator.gt),
        "target_at_least": ("below_target", operator.lt),
        "target_at_most": ("below_target", operator.gt),
        "target_below": ("below_target", operator.ge),
    }
)
"""The status of a value that crosses a bound, alerts first."""


class LiveRate(NamedTuple):
    """A rate of the period that is running."""

    numerator: int
    denominator: int
    value: Decimal | None
    status: str


class UnsignedCount(NamedTuple):
    """Completed sessions of a clinician without a signed note."""

    count: int = 0
    late: int = 0
    oldest_at: datetime | None = None


class UnsignedNotes(NamedTuple):
    """Completed sessions without a signed note."""

    count: int
    late: int
    status: str
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class LiveValues:
    """What the records say now of the practice or of a clinician."""

    today: date
    period_start: date
    kept_visit_rate: LiveRate
    unsigned_notes: UnsignedNotes
    appointments_today: Mapping[str, int]


def load_live_values(
    work: Work, period_kind: str, clinician_id: UUID | None, *, with_review: bool = True
) -> LiveValues:
    """Return the values of the running period, for a clinician or for the practice.

    Without `with_review`, the unsigned notes are those that their authors have not submitted.
    """
    zone = zone_of(work)
    today = date_before(work.now, zone)
    period_start = start_of_period(period_kind, today)
    parameters: dict[str, Any] = {"tenant_id": work.tenant_id, "clinician_id": clinician_id, "now": work.now}
    span = {"since": start_of_day(period_start, zone), "until": work.now}
    completed, missed = work.db.execute(text(KEPT_SQL), parameters | span).one()
    unsigned = count_unsigned_notes(work, today, clinician_id, with_review=with_review)
    span = {"since": start_of_day(today, zone), "until": start_of_day(today + DAY, zone)}
    by_status = work.db.execute(text(TODAY_SQL), parameters | span)
    rate = rate_kept_visits(work, completed, completed + missed, today)
    return LiveValues(
        today,
        period_start,
        rate,
        sum_unsigned_notes(work, list(unsigned.values()), today),
        {status: count for status, count in by_status},  # noqa: C416 - rows are not tuples
    )


def count_unsigned_notes(
    work: Work, today: date, clinician_id: UUID | None = None, *, with_review: bool = True
) -> dict[UUID, UnsignedCount]:
    """Return the sessions without a signed note of each clinician who has any, or of one."""
    parameters = {
        "tenant_id": work.tenant_id,
        "clinician_id": clinician_id,
        "now": work.now,
        "late_before": work.now - get_setting_on(work, "note_alert_days", today) * DAY,
        "no_session_notes": list(NO_SESSION_NOTES),
        "with_review": with_review,
    }
    return {row[0]: UnsignedCount(*row[1:]) for row in work.db.execute(text(UNSIGNED_SQL), parameters)}


def sum_unsigned_notes(work: Work, counts: Sequence[UnsignedCount], today: date) -> UnsignedNotes:
    """Return the sum of clinicians' counts. The one with the most late notes decides on an alert."""
    late = sum(count.late for count in counts)
    most = max((count.late for count in counts), default=0)
    status = judge(work, METRICS["unsigned_note_backlog"], Decimal(late), today, alert_value=Decimal(most))
    oldest_at = min((count.oldest_at for count in counts if count.oldest_at is not None), default=None)
    return UnsignedNotes(sum(count.count for count in counts), late, status, oldest_at)


def rate_kept_visits(work: Work, completed: int, resolved: int, today: date) -> LiveRate:
    if resolved == 0:
        return LiveRate(completed, resolved, None, "no_data")
    value = (Decimal(100 * completed) / resolved).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return LiveRate(completed, resolved, value, judge(work, METRICS["kept_visit_rate"], value, today))


def judge(work: Work, metric: Metric, value: Decimal, today: date, alert_value: Decimal | None = None) -> str:
    """Return the status of a value by the benchmark and the thresholds in force today."""
    for bound, (status, crosses) in CROSSES.items():
        if bound in metric.bounds:
            judged = alert_value if status == "alert" and alert_value is not None else value
            if crosses(judged, get_setting_on(work, f"{metric.key}_{bound}", today)):
                return status
    return "on_target"
