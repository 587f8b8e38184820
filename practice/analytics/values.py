"""Metric values: the cells that a refresh publishes, and what they say."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.analytics.errors import NoRefresh
from practice.metric_dictionary import METRICS, Metric
from practice.security.work import Work

STATUSES = {"o": "on_target", "b": "below_target", "a": "alert", "i": "info", "n": "no_data"}
NOT_APPLICABLE = "-"


class Cell(NamedTuple):
    """The sums of all metrics for an entity and a period, in the order of their keys."""

    entity_kind: str
    entity_id: UUID
    external_id: str
    period_kind: str
    period_start: date
    receivable_days: int
    numerators: Sequence[int]
    denominators: Sequence[int]
    value_hundredths: Sequence[int | None]
    statuses: str


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric of an entity in a period."""

    metric_key: str
    entity_kind: str
    entity_id: UUID
    external_id: str
    period_kind: str
    period_start: date
    numerator: Fraction
    denominator: Fraction | None
    value: Decimal | None
    status: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The values that somebody asks for. None of a field means all."""

    metric_key: str | None = None
    period_kind: str = "month"
    first: date | None = None
    last: date | None = None
    entity_kind: str | None = None


def decode_cells(cells: Iterable[Cell], keys: Sequence[str], metric_key: str | None = None) -> Iterator[MetricValue]:
    """Yield the values of cells whose metrics have these keys, or only those of one metric."""
    chosen = [(place, METRICS[key]) for place, key in enumerate(keys) if metric_key in (None, key) and key in METRICS]
    for cell in cells:
        for place, metric in chosen:
            status = cell.statuses[place]
            if status != NOT_APPLICABLE:
                yield decode_value(cell, place, metric, STATUSES[status])


def decode_value(cell: Cell, place: int, metric: Metric, status: str) -> MetricValue:
    hundredths = cell.value_hundredths[place]
    return MetricValue(
        metric.key,
        cell.entity_kind,
        cell.entity_id,
        cell.external_id,
        cell.period_kind,
        cell.period_start,
        Fraction(cell.numerators[place], metric.numerator_scale),
        compute_denominator(cell.denominators[place], metric, cell.receivable_days),
        None if hundredths is None else Decimal(hundredths).scaleb(-2),
        status,
    )


def compute_denominator(denominator: int, metric: Metric, receivable_days: int) -> Fraction | None:
    """Return the denominator to show: none beside a count, and none where nothing is required."""
    if metric.value == "count" or (metric.value == "numerator" and denominator == 0):
        return None
    return Fraction(denominator, metric.denominator_scale * (receivable_days if metric.divisor else 1))


CELLS_SQL = """
    select
        c.entity_kind, c.entity_id, coalesce(s.external_id, case when s.id is null then '' else s.id::text end),
        c.period_kind, c.period_start, c.receivable_days, c.numerators, c.denominators, c.value_hundredths, c.statuses,
        r.metric_keys, r.as_of
    from analytics.refreshes as r
    left join analytics.metric_cells as c on c.tenant_id = r.tenant_id and c.period_kind = :period_kind
        and (cast(:first as date) is null or c.period_start >= :first)
        and (cast(:last as date) is null or c.period_start <= :last)
        and (cast(:entity_kind as text) is null or c.entity_kind = :entity_kind)
    left join staff as s on s.tenant_id = c.tenant_id and s.id = c.entity_id
    where r.tenant_id = :tenant_id and r.is_current
    order by c.period_start, c.entity_kind, 3
"""


def list_values(work: Work, selection: Selection) -> tuple[datetime, list[MetricValue]]:
    """Return the instant as of which values are published, and the values by period, entity and metric.

    Raises NoRefresh if there are none yet.
    """
    rows = work.db.execute(
        text(CELLS_SQL),
        {
            "tenant_id": work.tenant_id,
            "period_kind": selection.period_kind,
            "first": selection.first,
            "last": selection.last,
            "entity_kind": selection.entity_kind,
        },
    ).all()
    if not rows:
        raise NoRefresh
    cells = (Cell(*row[:-2]) for row in rows if row[0] is not None)
    return rows[0].as_of, list(decode_cells(cells, rows[0].metric_keys, selection.metric_key))
