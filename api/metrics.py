"""Routes of metrics: the dictionary, published values, the rows behind a value, and values read from the records."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import Day, IdOrMe, describe
from api.filters import resolve_me
from api.names import ClientName, StaffName
from api.responses import Input
from api.routing import PermissionRouter
from practice.analytics.errors import NoRefresh, NoSuchValue, RowsUnavailable, TooManyValues, UnknownMetric
from practice.analytics.live import LiveValues, load_live_values
from practice.analytics.periods import PeriodKind
from practice.analytics.row_details import RowDetails, load_row_details
from practice.analytics.values import (
    EntityKind,
    MetricValue,
    Refresh,
    Selection,
    Status,
    ValueKey,
    get_refresh,
    list_values,
    require_metric,
)
from practice.analytics.visibility import load_visibility
from practice.metric_dictionary import METRICS, Metric
from practice.people.practice_time import local_today
from practice.people.settings import list_effective_settings
from practice.security.permissions import Scope

if TYPE_CHECKING:
    from warehouse.rows import Row, Rows

router = PermissionRouter(prefix="/metrics", tags=["metrics"])

Entity = Annotated[
    IdOrMe | None, describe("A clinician, or the supervisor of a team; `me` for yourself. Not for the practice.")
]


class MetricOut(BaseModel):
    key: Annotated[str, describe("The key of the metric.")]
    label: Annotated[str, describe("Its name for people.")]
    formula: Annotated[str, describe("How it is computed, in words.")]
    category: Annotated[str, describe("The group that it belongs to.")]
    owner: Annotated[str, describe("Who looks after it.")]
    direction: Annotated[Literal["higher", "lower"], describe("Which values are better.")]
    unit: Annotated[str, describe("The unit of its values.")]
    action: Annotated[str, describe("What an alert asks for; empty without one.")]
    bounds: Annotated[
        dict[str, int],
        describe("Benchmarks (`target_...`) and alert thresholds (`alert_...`) in force today, as the settings say."),
    ]

    @classmethod
    def of(cls, metric: Metric, settings: dict[str, int]) -> "MetricOut":
        return cls(
            key=metric.key,
            label=metric.label,
            formula=metric.formula,
            category=metric.category,
            owner=metric.owner,
            direction=metric.direction,
            unit=metric.unit,
            action=metric.action,
            bounds={bound: settings[f"{metric.key}_{bound}"] for bound in metric.bounds},
        )


class MetricsOut(BaseModel):
    items: Annotated[list[MetricOut], describe("The metrics, by key.")]


class RefreshOut(BaseModel):
    id: Annotated[UUID, describe("The refresh.")]
    as_of: Annotated[datetime, describe("The instant whose records the values show.")]
    published_at: Annotated[datetime, describe("When the values were published.")]
    age_seconds: Annotated[int, describe("Seconds since `as_of`.")]

    @classmethod
    def of(cls, refresh: Refresh, now: datetime) -> "RefreshOut":
        return cls(
            id=refresh.id,
            as_of=refresh.as_of,
            published_at=refresh.published_at,
            age_seconds=max(0, int((now - refresh.as_of).total_seconds())),
        )


class ValueOut(BaseModel):
    metric_key: Annotated[str, describe("The metric.")]
    entity_kind: Annotated[EntityKind, describe("Whether it is of the practice, a clinician, or a supervisor's team.")]
    entity_id: Annotated[UUID | None, describe("The clinician or the supervisor; null for the practice.")]
    entity_name: StaffName = None
    period_kind: Annotated[PeriodKind, describe("The kind of period.")]
    period_start: Annotated[date, describe("The first day of the period.")]
    numerator: Annotated[float, describe("The numerator.")]
    denominator: Annotated[float | None, describe("The denominator; null where there is none.")]
    value: Annotated[Decimal | None, describe("The value as a decimal number; null without data.")]
    status: Annotated[Status, describe("The value beside its benchmark and alert threshold.")]

    @classmethod
    def of(cls, value: MetricValue) -> "ValueOut":
        return cls(
            metric_key=value.metric_key,
            entity_kind=value.entity_kind,
            entity_id=None if value.entity_kind == "practice" else value.entity_id,
            period_kind=value.period_kind,
            period_start=value.period_start,
            numerator=float(value.numerator),
            denominator=to_float(value.denominator),
            value=value.value,
            status=value.status,
        )


class ValuesOut(BaseModel):
    refresh: Annotated[RefreshOut, describe("The refresh that made the values.")]
    items: Annotated[list[ValueOut], describe("The values, by period, entity and metric.")]


class ValuesQuery(Input):
    metric: Annotated[list[str] | None, Field(max_length=100), describe("Only these metrics, by key.")] = None
    period: Annotated[PeriodKind, describe("The kind of periods.")] = "month"
    first: Annotated[Day | None, Field(alias="from"), describe("Periods that start on this day or later.")] = None
    last: Annotated[Day | None, Field(alias="to"), describe("Periods that start on this day or before.")] = None
    entity_kind: Annotated[EntityKind | None, describe("Only this kind of entity.")] = None
    entity_id: Entity = None


class RowOut(BaseModel):
    kind: Annotated[str, describe("The kind of record.")]
    id: Annotated[
        UUID | None,
        describe("The record. For a `clinician_day`, the clinician. Null for people who have left the caller's team."),
    ]
    on_date: Annotated[date | None, describe("The local day on which it counts, or from which on it does.")]
    at: Annotated[datetime | None, describe("The time of the record.")]
    status: Annotated[str | None, describe("What the record's status is now.")]
    client_id: Annotated[UUID | None, describe("The client of the record.")]
    client_name: ClientName = None
    clinician_id: Annotated[UUID | None, describe("The clinician for whom it counts.")]
    clinician_name: StaffName = None
    numerator: Annotated[float, describe("What it adds to the numerator.")]
    denominator: Annotated[float | None, describe("What it adds to the denominator; null where there is none.")]
    reason: Annotated[str, describe("Why it counts as it does.")]

    @classmethod
    def of(cls, row: "Row", details: RowDetails, *, shown: bool) -> "RowOut":
        return cls(
            kind=row.kind,
            id=row.id if shown else None,
            on_date=row.on_date,
            at=details.at,
            status=details.status,
            client_id=details.client_id,
            clinician_id=row.clinician_id,
            numerator=float(row.numerator),
            denominator=to_float(row.denominator),
            reason=row.reason,
        )


class RowsOut(BaseModel):
    refresh: Annotated[RefreshOut, describe("The refresh that made the value.")]
    count: Annotated[int, describe("The number of all rows.")]
    numerator: Annotated[float, describe("The sum of all rows, which is the value's numerator.")]
    denominator: Annotated[float | None, describe("The sum of all rows, which is the value's denominator.")]
    items: Annotated[list[RowOut], describe("The rows of this page, by day.")]
    next_offset: Annotated[int | None, describe("Send it as `offset` for the next page; null on the last page.")]


class RowsQuery(Input):
    period: Annotated[PeriodKind, describe("The kind of period.")] = "month"
    start: Annotated[Day, describe("The first day of the period.")]
    entity_kind: Annotated[
        EntityKind | None,
        describe("The kind of entity. Default: the practice; for supervisors their team, for clinicians themselves."),
    ] = None
    entity_id: Entity = None
    refresh_id: Annotated[
        UUID | None, describe("The refresh of the page before, so that all pages are of the same one.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000), describe("The most rows to return.")] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000), describe("The number of rows to leave out.")] = 0


class LiveRateOut(BaseModel):
    numerator: Annotated[int, describe("Completed appointments.")]
    denominator: Annotated[int, describe("Completed, missed and cancelled appointments.")]
    value: Annotated[Decimal | None, describe("The percentage; null without such appointments.")]
    status: Annotated[Status, describe("The value beside its benchmark and alert threshold.")]


class UnsignedNotesOut(BaseModel):
    count: Annotated[int, describe("Completed sessions without a signed note.")]
    late: Annotated[int, describe("Those whose note is late: the unsigned note backlog.")]
    status: Annotated[Status, describe("The backlog beside its benchmark and alert threshold.")]
    oldest_at: Annotated[datetime | None, describe("The start of the oldest one.")]


class LiveOut(BaseModel):
    today: Annotated[date, describe("Today's local date.")]
    period_start: Annotated[date, describe("The first day of the running period.")]
    kept_visit_rate: Annotated[LiveRateOut, describe("The kept visit rate of the running period.")]
    unsigned_notes: Annotated[UnsignedNotesOut, describe("Sessions to be documented.")]
    appointments_today: Annotated[dict[str, int], describe("Today's appointments, counted by status.")]

    @classmethod
    def of(cls, live: LiveValues) -> "LiveOut":
        return cls(
            today=live.today,
            period_start=live.period_start,
            kept_visit_rate=LiveRateOut(**live.kept_visit_rate._asdict()),
            unsigned_notes=UnsignedNotesOut(**live.unsigned_notes._asdict()),
            appointments_today=dict(live.appointments_today),
        )


class LiveQuery(Input):
    period: Annotated[PeriodKind, describe("The kind of the running period.")] = "week"
    clinician_id: Annotated[
        IdOrMe | None,
        describe(
            "A clinician, or `me` for yourself. Default: the practice for those who may see all of it, else yourself."
        ),
    ] = None


OWN_ENTITIES: Mapping[Scope, EntityKind] = MappingProxyType(
    {Scope.ALL: "practice", Scope.TEAM: "team", Scope.OWN: "clinician"}
)
"""The kind of entity that a caller means who names none, by the scope of their permission."""


def to_float(number: Fraction | None) -> float | None:
    return None if number is None else float(number)


@router.get("", permission="metrics.read", errors=[NoRefresh, TooManyValues, UnknownMetric])
def list_metric_values(ctx: RequestContext, query: Annotated[ValuesQuery, Query()]) -> ValuesOut:
    """List values of metrics.

    Those of the last refresh, by period, entity and metric: one metric over time, or many at once.
    """
    visibility = load_visibility(ctx.work)
    keys = None if query.metric is None else frozenset(require_metric(key).key for key in query.metric)
    entity_id = resolve_me(query.entity_id, ctx.actor.staff_id)
    selection = Selection(keys, query.period, query.first, query.last, query.entity_kind, entity_id)
    refresh, values = list_values(ctx.work, selection, limited=True)
    shown = [value for value in values if visibility.includes(value.metric_key, (value.entity_kind, value.entity_id))]
    return ValuesOut(refresh=RefreshOut.of(refresh, ctx.now), items=[ValueOut.of(value) for value in shown])


@router.get("/dictionary", permission="metrics.read")
def list_metrics(ctx: RequestContext) -> MetricsOut:
    """List the metrics.

    All of them with their definitions, and the benchmarks and alert thresholds in force today.
    """
    settings = {setting.key: setting.value for setting in list_effective_settings(ctx.work, local_today(ctx.work))}
    return MetricsOut(items=[MetricOut.of(metric, settings) for metric in METRICS.values()])


@router.get("/live", permission="metrics.live", errors=[NoSuchValue])
def get_live_values(ctx: RequestContext, query: Annotated[LiveQuery, Query()]) -> LiveOut:
    """Get the values of this moment.

    Read from the records and not from the last refresh: kept visits of the running period, notes to be signed, and
    today's appointments.
    """
    clinician_id = resolve_me(query.clinician_id, ctx.actor.staff_id)
    if clinician_id is None and ctx.scope is not Scope.ALL:
        clinician_id = ctx.actor.staff_id
    entity = ("practice", ctx.work.tenant_id) if clinician_id is None else ("clinician", clinician_id)
    if not load_visibility(ctx.work, "live").includes("kept_visit_rate", entity):
        raise NoSuchValue
    return LiveOut.of(load_live_values(ctx.work, query.period, clinician_id))


@router.get(
    "/{metric}/rows", permission="metrics.rows", errors=[NoRefresh, NoSuchValue, RowsUnavailable, UnknownMetric]
)
def list_rows(
    ctx: RequestContext, metric: Annotated[str, Path(max_length=60)], query: Annotated[RowsQuery, Query()]
) -> RowsOut:
    """List the rows behind a value.

    The records that the last refresh counted, each with the reason. Their sums are the numerator and the denominator.
    """
    # in the worker and not before it is copied: these libraries start threads
    from warehouse.refresh import open_published
    from warehouse.rows import read_rows

    found = require_metric(metric)
    kind, entity_id = query.entity_kind, resolve_me(query.entity_id, ctx.actor.staff_id)
    if kind is None:
        kind = "clinician" if entity_id is not None else OWN_ENTITIES[ctx.scope]
    if entity_id is None:
        entity_id = ctx.work.tenant_id if kind == "practice" else ctx.actor.staff_id
    if entity_id is None or not load_visibility(ctx.work, "rows").includes(metric, (kind, entity_id)):
        raise NoSuchValue
    if kind == "practice" and entity_id != ctx.work.tenant_id:
        raise NoSuchValue
    refresh = get_refresh(ctx.work)
    if query.refresh_id not in (None, refresh.id):
        raise RowsUnavailable
    value = ValueKey(metric, kind, entity_id, query.period, query.start)
    build = open_published(ctx.installation.settings.warehouse, ctx.work.tenant_id, refresh.id)
    return show_rows(ctx, refresh, query, found, read_rows(build, ctx.work.tenant_id, value, query.limit, query.offset))


def show_rows(ctx: RequestContext, refresh: Refresh, query: RowsQuery, metric: Metric, found: "Rows") -> RowsOut:
    """Return the rows with what their records say now, and record whose they are on the trail."""
    people = load_visibility(ctx.work, "rows").entities
    # a supervisor's team of that time may have had people of whom today's supervisor is another
    shown = {row.id for row in found.rows if ctx.scope is Scope.ALL or ("clinician", row.clinician_id) in people}
    details = load_row_details(ctx.work, metric.row_kind, shown)
    items = [RowOut.of(row, details.get(row.id, RowDetails()), shown=row.id in shown) for row in found.rows]
    ctx.work.record_list("metrics.rows", {item.client_id for item in items if item.client_id}, metric=metric.key)
    end = query.offset + len(items)
    return RowsOut(
        refresh=RefreshOut.of(refresh, ctx.now),
        count=found.count,
        numerator=float(found.numerator),
        denominator=to_float(found.denominator),
        items=items,
        next_offset=end if items and end < found.count else None,
    )
