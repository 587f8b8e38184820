"""Metric values: the cells that a refresh publishes, and what they say."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.analytics.errors import NoRefresh, TooManyValues, UnknownMetric
from practice.analytics.periods import PeriodKind
from practice.metric_dictionary import METRICS, Metric
from practice.security.work import Work

EntityKind = Literal["practice", "clinician", "team"]
Status = Literal["on_target", "below_target", "alert", "info", "no_data"]
EntityKey = tuple[str, UUID]
"""The kind and the id of an entity."""

STATUSES: dict[str, Status] = {"o": "on_target", "b": "below_target", "a": "alert", "i": "info", "n": "no_data"}
NOT_APPLICABLE = "-"


class Cell(NamedTuple):
    """The sums of all metrics for an entity and a period, in the order of their keys."""

    entity_kind: EntityKind
    entity_id: UUID
    external_id: str
    period_kind: PeriodKind
    period_start: date
    receivable_days: int
    numerators: Sequence[int]
    denominators: Sequence[int]
    value_hundredths: Sequence[int | None]
    statuses: str


@dataclass(frozen=True, slots=True)
class ValueKey:
    """A metric of an entity in a period."""

    metric_key: str
    entity_kind: EntityKind
    entity_id: UUID
    period_kind: PeriodKind
    period_start: date


@dataclass(frozen=True, slots=True)
class MetricValue:
    """The value of a metric of an entity in a period."""

    metric_key: str
    entity_kind: EntityKind
    entity_id: UUID
    external_id: str
    period_kind: PeriodKind
    period_start: date
    numerator: Fraction
    denominator: Fraction | None
    value: Decimal | None
    status: Status

    @property
    def value_key(self) -> ValueKey:
        return ValueKey(self.metric_key, self.entity_kind, self.entity_id, self.period_kind, self.period_start)


@dataclass(frozen=True, slots=True)
class Selection:
    """The values that somebody asks for. None of a field means all."""

    metric_keys: frozenset[str] | None = None
    period_kind: str = "month"
    first: date | None = None
    last: date | None = None
    entity_kind: str | None = None
    entity_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """The refresh whose values are published."""

    id: UUID
    as_of: datetime
    published_at: datetime
    engine: str
    metric_keys: Sequence[str]


def require_metric(key: str) -> Metric:
    """Return a metric, or raise UnknownMetric."""
    metric = METRICS.get(key)
    if metric is None:
        raise UnknownMetric(f"Unknown metric: {key!r}. Use one of these: {', '.join(METRICS)}.")
    return metric


def decode_cells(
    cells: Iterable[Cell], keys: Sequence[str], chosen_keys: frozenset[str] | None = None
) -> Iterator[MetricValue]:
    """Yield the values of cells whose metrics have these keys, or only those of the chosen ones."""
    chosen = [
        (place, METRICS[key])
        for place, key in enumerate(keys)
        if (chosen_keys is None or key in chosen_keys) and key in METRICS
    ]
    for cell in cells:
        for place, metric in chosen:
            status = cell.statuses[place]
            if status != NOT_APPLICABLE:
                yield decode_value(cell, place, metric, STATUSES[status])


def decode_value(cell: Cell, place: int, metric: Metric, status: Status) -> MetricValue:
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


REFRESH_SQL = """
    select id, as_of, published_at, engine, metric_keys from analytics.refreshes
    where tenant_id = :tenant_id and is_current
"""
CELLS_SQL = """
    select
        c.entity_kind, c.entity_id, coalesce(s.external_id, case when s.id is null then '' else s.id::text end),
        c.period_kind, c.period_start, c.receivable_days, c.numerators, c.denominators, c.value_hundredths, c.statuses,
        r.id, r.as_of, r.published_at, r.engine, r.metric_keys
    from analytics.refreshes as r
    left join analytics.metric_cells as c on c.tenant_id = r.tenant_id and c.period_kind = :period_kind
        and (cast(:first as date) is null or c.period_start >= :first)
        and (cast(:last as date) is null or c.period_start <= :last)
        and (cast(:entity_kind as text) is null or c.entity_kind = :entity_kind)
        and (cast(:entity_id as uuid) is null or c.entity_id = :entity_id)
    left join staff as s on s.tenant_id = c.tenant_id and s.id = c.entity_id
    where r.tenant_id = :tenant_id and r.is_current
    order by c.period_start, c.entity_kind, 3
    limit :limit
"""
MAX_VALUES = 20_000
"""Of one response."""


def get_refresh(work: Work) -> Refresh:
    """Return the refresh whose values are published, or raise NoRefresh if there is none yet."""
    row = work.db.execute(text(REFRESH_SQL), {"tenant_id": work.tenant_id}).one_or_none()
    if row is None:
        raise NoRefresh
    return Refresh(*row)


def list_values(work: Work, selection: Selection, *, limited: bool = False) -> tuple[Refresh, list[MetricValue]]:
    """Return the published values of a selection, by period, entity and metric, and the refresh that made them.

    Raises NoRefresh if there are none yet, or TooManyValues beyond the number of values that one response holds.
    """
    count = len(METRICS) if selection.metric_keys is None else max(1, len(selection.metric_keys))
    limit = MAX_VALUES // count if limited else None
    rows = work.db.execute(
        text(CELLS_SQL),
        {
            "tenant_id": work.tenant_id,
            "period_kind": selection.period_kind,
            "first": selection.first,
            "last": selection.last,
            "entity_kind": selection.entity_kind,
            "entity_id": selection.entity_id,
            "limit": None if limit is None else limit + 1,
        },
    ).all()
    if not rows:
        raise NoRefresh
    if limit is not None and len(rows) > limit:
        raise TooManyValues
    refresh = Refresh(*rows[0][-5:])
    cells = (Cell(*row[:-5]) for row in rows if row[0] is not None)
    return refresh, list(decode_cells(cells, refresh.metric_keys, selection.metric_keys))
