"""Definitions, schedules and results of reports, as the API takes and shows them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, Field, WithJsonSchema

from api.fields import CreatedAt, Day, RecordId, RecordVersion, StaffId, Text40, describe, example
from api.metrics import RefreshOut
from api.names import StaffName, StaffNames, from_record
from api.responses import Input
from practice.dashboards.words import format_value, name_period
from practice.reports.measures import GROUPS, MEASURES, Measure
from practice.reports.models import ReportDefinition
from practice.reports.results import OTHERS, Cell, Line, Result
from practice.reports.rules import (
    MAX_CLINICIANS,
    MAX_MEASURES,
    MAX_PERIODS,
    NAME,
    Definition,
    Schedule,
)
from practice.reports.saved import MAX_RECIPIENTS, find_schedule, load_definition
from practice.reports.standard import StandardReport

# The API document lists the keys. An unknown one is refused together with all other problems of the definition.
MeasureKey = Annotated[Text40, WithJsonSchema({"type": "string", "enum": list(MEASURES)})]
ReportGroup = Literal["total", "clinician", "team", "code", "payer", "age", "sex"]
ReportPeriod = Literal["week", "month", "quarter"]
ReaderRole = Literal["admin", "supervisor", "clinician", "biller"]


class ReportDefinitionIn(Input):
    model_config = example(measures=["revenue", "kept_visit_rate"], group="clinician", order_by="revenue")

    measures: Annotated[list[MeasureKey], Field(max_length=MAX_MEASURES), describe("The columns, by key.")]
    group: Annotated[ReportGroup, describe("What the lines are of.")]
    period: Annotated[ReportPeriod, describe("The kind of periods.")] = "month"
    periods: Annotated[int, Field(ge=1, le=MAX_PERIODS), describe("How many periods, the last one being today's.")] = 1
    clinician_ids: Annotated[
        list[UUID], Field(max_length=MAX_CLINICIANS), describe("Only what counts for these clinicians; all if empty.")
    ] = Field(default_factory=list)
    order_by: Annotated[Text40, describe("`name`, or one of the measures.")] = NAME
    descending: Annotated[bool, describe("Whether the largest comes first.")] = False

    def to_definition(self) -> Definition:
        return Definition(
            measures=tuple(self.measures),
            group=self.group,
            period=self.period,
            periods=self.periods,
            clinician_ids=tuple(dict.fromkeys(self.clinician_ids)),
            order_by=self.order_by,
            descending=self.descending,
        )


class ReportDefinitionOut(BaseModel):
    measures: Annotated[list[str], describe("The columns, by key.")]
    group: Annotated[ReportGroup, describe("What the lines are of.")]
    period: Annotated[ReportPeriod, describe("The kind of periods.")]
    periods: Annotated[int, describe("How many periods.")]
    clinician_ids: Annotated[list[UUID], describe("Only what counts for these clinicians; all if empty.")]
    clinician_names: StaffNames = Field(default_factory=list)
    order_by: Annotated[str, describe("`name`, or one of the measures.")]
    descending: Annotated[bool, describe("Whether the largest comes first.")]

    @classmethod
    def of(cls, definition: Definition) -> "ReportDefinitionOut":
        lists = {"measures": list(definition.measures), "clinician_ids": list(definition.clinician_ids)}
        return from_record(cls, definition, **lists)


class ReportScheduleIn(Input):
    model_config = example(every="week", day=1, hour=7, recipient_ids=["0197f1f0-5c1e-7aa0-8d3b-2f6c1e9a4b70"])

    every: Annotated[Literal["week", "month"], describe("How often it is sent.")]
    day: Annotated[int, Field(ge=0, le=28), describe("The day of the week, 0 for Sunday, or of the month, 1 to 28.")]
    hour: Annotated[int, Field(ge=0, le=23), describe("The local hour.")]
    recipient_ids: Annotated[
        list[UUID], Field(max_length=MAX_RECIPIENTS), describe("The staff members who get an email with its link.")
    ]

    def to_schedule(self) -> Schedule:
        return Schedule(self.every, self.day, self.hour)


class ReportScheduleOut(BaseModel):
    every: Annotated[Literal["week", "month"], describe("How often it is sent.")]
    day: Annotated[int, describe("The day of the week, 0 for Sunday, or of the month.")]
    hour: Annotated[int, describe("The local hour.")]
    staff_ids: Annotated[list[UUID], describe("The staff members who get an email with its link.")]
    staff_names: StaffNames = Field(default_factory=list)


class SavedReportOut(BaseModel):
    id: RecordId
    name: Annotated[str, describe("Its name.")]
    staff_id: StaffId
    staff_name: StaffName = None
    is_own: Annotated[bool, describe("Whether it is yours, so that you may change it.")]
    definition: Annotated[ReportDefinitionOut, describe("What it shows.")]
    shared_with: Annotated[list[str], describe("The roles that it is shared with.")]
    schedule: Annotated[ReportScheduleOut | None, describe("When it is sent to whom; null if it is not.")]
    created_at: CreatedAt
    version: RecordVersion

    @classmethod
    def of(cls, report: ReportDefinition, staff_id: UUID | None, recipients: Mapping[UUID, Any]) -> "SavedReportOut":
        schedule = find_schedule(report)
        return cls(
            id=report.id,
            name=report.name,
            staff_id=report.owner_id,
            is_own=report.owner_id == staff_id,
            definition=ReportDefinitionOut.of(load_definition(report.definition)),
            shared_with=report.shared_with,
            schedule=None
            if schedule is None
            else ReportScheduleOut(
                every=schedule.every, day=schedule.day, hour=schedule.hour, staff_ids=recipients[report.id]
            ),
            created_at=report.created_at,
            version=report.version,
        )


class ReportMeasureOut(BaseModel):
    key: Annotated[str, describe("Its key.")]
    label: Annotated[str, describe("Its name for people.")]
    about: Annotated[str, describe("How it is computed, in words.")]
    unit: Annotated[str, describe("Its unit.")]
    groups: Annotated[list[str], describe("What it can be grouped by.")]

    @classmethod
    def of(cls, measure: Measure) -> "ReportMeasureOut":
        groups = [group for group in GROUPS if group in measure.groups]
        return cls(key=measure.key, label=measure.label, about=measure.about, unit=measure.unit, groups=groups)


class StandardReportOut(BaseModel):
    key: Annotated[str, describe("Its key.")]
    name: Annotated[str, describe("Its name for people.")]
    about: Annotated[str, describe("What it shows.")]
    definition: Annotated[ReportDefinitionOut, describe("What it shows, as people define their own.")]

    @classmethod
    def of(cls, report: StandardReport) -> "StandardReportOut":
        definition = ReportDefinitionOut.of(report.definition)
        return cls(key=report.key, name=report.name, about=report.about, definition=definition)


class ReportCellOut(BaseModel):
    measure: Annotated[str, describe("The measure.")]
    value: Annotated[Decimal | None, describe("The value as a decimal number; null without data.")]
    shown: Annotated[str, describe("The value with its unit.")]
    numerator: Annotated[float, describe("The numerator.")]
    denominator: Annotated[float | None, describe("The denominator; null where there is none.")]
    rows: Annotated[str | None, describe("The path of the rows behind it; null where they are not shown.")]


class ReportLineOut(BaseModel):
    period_start: Annotated[date | None, describe("The first day of its period; null for all periods.")]
    period_name: Annotated[str, describe("The name of its period.")]
    key: Annotated[str, describe("What it is of: a clinician's id, a code, a payer, or empty.")]
    name: Annotated[str, describe("Its name for people.")]
    cells: Annotated[list[ReportCellOut], describe("Its values, in the order of the measures.")]


class ReportResultOut(BaseModel):
    name: Annotated[str, describe("The name of the report; empty if it is not saved.")]
    definition: Annotated[ReportDefinitionOut, describe("What it shows.")]
    refresh: Annotated[RefreshOut, describe("The refresh whose instant all figures share.")]
    measures: Annotated[list[ReportMeasureOut], describe("The columns that you may see.")]
    left_out: Annotated[list[str], describe("The names of measures that your roles do not show.")]
    lines: Annotated[list[ReportLineOut], describe("The lines, by period and in the order of the report.")]
    totals: Annotated[list[ReportLineOut], describe("The totals of those lines by period, and of all periods.")]
    hides_small_groups: Annotated[bool, describe("Whether groups of fewer than five clients are put together.")]

    @classmethod
    def of(cls, result: Result, name: str, now: datetime) -> "ReportResultOut":
        totals = [
            Line(start, "", "Total", result.totals[start])
            for start in result.starts
            if start in result.totals and result.definition.group != "total"
        ]
        return cls(
            name=name,
            definition=ReportDefinitionOut.of(result.definition),
            refresh=RefreshOut.of(result.refresh, now),
            measures=[ReportMeasureOut.of(measure) for measure in result.measures],
            left_out=[measure.label for measure in result.left_out],
            lines=[to_line(result, line) for line in result.lines],
            totals=[
                *(to_line(result, line, is_total=True) for line in totals),
                *([to_line(result, Line(None, "", "Total", result.total))] if result.total else []),
            ],
            hides_small_groups=result.hides_small_groups,
        )


def to_line(result: Result, line: Line, *, is_total: bool = False) -> ReportLineOut:
    period = result.definition.period
    return ReportLineOut(
        period_start=line.period_start,
        period_name="All periods" if line.period_start is None else name_period(period, line.period_start),
        key=line.key,
        name=line.name,
        cells=[
            ReportCellOut(
                measure=measure.key,
                value=cell.value if cell else None,
                shown=format_value(measure.unit, cell.value if cell else None),
                numerator=float(cell.numerator) if cell else 0,
                denominator=None if cell is None or cell.denominator is None else float(cell.denominator),
                rows=find_rows(result, line, measure, cell, is_total=is_total),
            )
            for measure in result.measures
            for cell in [line.cells.get(measure.key)]
        ],
    )


def find_rows(result: Result, line: Line, measure: Measure, cell: Cell | None, *, is_total: bool) -> str | None:
    """Return the path of the rows behind a cell, or None: sums over clients or of several values have none."""
    definition = result.definition
    if cell is None or line.period_start is None or measure.source == "clients":
        return None
    place = f"period={definition.period}&start={line.period_start}"
    if measure.metric is not None:
        if not cell.entity_kind or (is_total and cell.entity_kind != "practice"):
            return None
        owner = "" if cell.entity_kind == "practice" else f"&entity_id={line.key}"
        return f"/metrics/{measure.key}/rows?{place}&entity_kind={cell.entity_kind}{owner}"
    if line.key == OTHERS:
        return None
    group = "total" if is_total else definition.group
    chosen = "".join(f"&clinician_id={staff_id}" for staff_id in definition.clinician_ids)
    return f"/reports/rows?measure={measure.key}&{place}&group={group}&key={quote(line.key)}{chosen}"


class ReportKeyQuery(Input):
    report: Annotated[Text40, describe("The key of a standard report, or the id of a saved one.")]
    period: Annotated[ReportPeriod | None, describe("The kind of periods; left out, the report's own.")] = None
    day: Annotated[Day | None, describe("A day of the last period; left out, today.")] = None
