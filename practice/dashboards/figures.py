"""Figures of a page: published values of an entity in a period, beside their bounds and the periods before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from practice.analytics.errors import NoRefresh
from practice.analytics.periods import PeriodKind, last_day_of_period, shift_period, start_of_period
from practice.analytics.values import EntityKey, EntityKind, MetricValue, Refresh, Selection, Status, list_values
from practice.metric_dictionary import METRICS, Metric
from practice.people.practice_time import local_today
from practice.people.settings import list_effective_settings
from practice.security.work import Work

TREND_PERIODS = 12


@dataclass(frozen=True)
class Period:
    """A period that a page is about."""

    kind: PeriodKind
    start: date

    @property
    def last_day(self) -> date:
        return last_day_of_period(self.kind, self.start)

    @property
    def previous(self) -> "Period":
        return Period(self.kind, shift_period(self.kind, self.start, -1))


@dataclass(frozen=True)
class Point:
    """A value of the trend."""

    start: date
    value: Decimal | None


@dataclass(frozen=True)
class Figure:
    """A value of an entity in a period, with its bounds, and the values of the periods before."""

    metric: Metric
    entity_kind: str
    entity_id: UUID
    period: Period
    value: Decimal | None = None
    numerator: Fraction = Fraction(0)
    denominator: Fraction | None = None
    status: Status = "no_data"
    bounds: dict[str, int] = field(default_factory=dict)
    trend: Sequence[Point] = ()

    @property
    def previous(self) -> Decimal | None:
        return self.trend[-2].value if len(self.trend) > 1 else None

    @property
    def missing(self) -> int:
        """Return how many of the denominator do not count."""
        return 0 if self.denominator is None else int(self.denominator - self.numerator)


@dataclass(frozen=True)
class FigureSet:
    """Figures of many entities by metric, and the refresh that made them, or None if there is none."""

    refresh: Refresh | None
    figures: dict[EntityKey, dict[str, Figure]]

    def of(self, entity: EntityKey) -> dict[str, Figure]:
        """Return the figures of one entity by metric."""
        return self.figures[entity]


def choose_period(work: Work, kind: PeriodKind, day: date | None) -> Period:
    """Return the period of a kind that contains the day, or today."""
    return Period(kind, start_of_period(kind, day or local_today(work)))


def load_figures(
    work: Work,
    period: Period,
    keys: Sequence[str],
    entities: Iterable[EntityKey],
    *,
    entity_kind: EntityKind | None = None,
) -> FigureSet:
    """Return the figures of entities in a period. All are read by one statement; a kind narrows it down."""
    wanted = set(entities)
    first = shift_period(period.kind, period.start, 1 - TREND_PERIODS)
    only_id = next(iter(wanted))[1] if len(wanted) == 1 else None
    selection = Selection(frozenset(keys), period.kind, first, period.start, entity_kind, only_id)
    try:
        refresh, values = list_values(work, selection)
    except NoRefresh:
        refresh, values = None, []
    settings = {setting.key: setting.value for setting in list_effective_settings(work, period.last_day)}
    values_by_key: dict[tuple[EntityKey, str], dict[date, MetricValue]] = {}
    for value in values:
        entity = (value.entity_kind, value.entity_id)
        if entity in wanted:
            values_by_key.setdefault((entity, value.metric_key), {})[value.period_start] = value
    starts = [shift_period(period.kind, period.start, number - TREND_PERIODS + 1) for number in range(TREND_PERIODS)]
    figures = {
        entity: {
            key: build_figure(entity, METRICS[key], period, starts, values_by_key.get((entity, key), {}), settings)
            for key in keys
        }
        for entity in wanted
    }
    return FigureSet(refresh, figures)


def build_figure(
    entity: EntityKey,
    metric: Metric,
    period: Period,
    starts: Sequence[date],
    values: dict[date, MetricValue],
    settings: dict[str, int],
) -> Figure:
    kind, entity_id = entity
    bounds = {bound: settings[f"{metric.key}_{bound}"] for bound in metric.bounds}
    trend = [Point(start, values[start].value if start in values else None) for start in starts]
    value = values.get(period.start)
    known = Figure(metric, kind, entity_id, period, bounds=bounds, trend=trend)
    if value is None:
        return known
    return replace(
        known, value=value.value, numerator=value.numerator, denominator=value.denominator, status=value.status
    )
