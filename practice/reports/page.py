"""The page of reports: those to choose from, the chosen one with what it says, and choices for one's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select

from practice.analytics.errors import NoRefresh
from practice.analytics.periods import start_of_period
from practice.dashboards.figures import Period
from practice.dashboards.words import describe_change, format_value, name_period, name_period_before
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.reports.catalog import (
    NamedReport,
    choose_period,
    find_report,
    list_measures,
    list_standard_reports,
    may_share,
)
from practice.reports.files import SMALL_GROUPS
from practice.reports.measures import Measure
from practice.reports.models import ReportDefinition
from practice.reports.results import OTHERS, Line, Result, run_report
from practice.reports.saved import MAX_SAVED, READERS, list_reports, load_recipients
from practice.reports.standard import StandardReport
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest


class StaffChoice(NamedTuple):
    """Somebody to choose, as a clinician of a filter or as a recipient."""

    id: UUID
    name: str
    roles: Sequence[str]


@dataclass(frozen=True)
class ReportsPage:
    """Everything that the page shows at first. Without a refresh there is no result."""

    today: date
    period: Period
    standard: Sequence[StandardReport]
    saved: Sequence[ReportDefinition]
    recipients: dict[UUID, list[UUID]]
    chosen: NamedReport
    result: Result | None
    brief: Sequence[str]
    measures: Sequence[Measure]
    clinicians: Sequence[StaffChoice]
    people: Sequence[StaffChoice]
    may_share: bool


def load_reports_page(work: Work, scope: Scope, key: str | None, period: str | None, day: date | None) -> ReportsPage:
    """Return the page with the report of this key, by default the first one."""
    standard = list_standard_reports(work)
    saved = list_reports(work, PageRequest(limit=2 * MAX_SAVED)).items
    chosen = find_report(work, key or standard[0].key)
    definition = choose_period(chosen.definition, period)
    last = Period(definition.period, start_of_period(definition.period, day or local_today(work)))  # ty: ignore[invalid-argument-type]
    result, brief = run_with_brief(work, replace(chosen, definition=definition), last)
    is_sharing = may_share(work)
    return ReportsPage(
        today=local_today(work),
        period=last,
        standard=standard,
        saved=saved,
        recipients=load_recipients(work, [report.id for report in saved]),
        chosen=replace(chosen, definition=definition),
        result=result,
        brief=brief,
        measures=list_measures(work),
        clinicians=list_choices(work, scope, ["clinician"]),
        people=list_choices(work, Scope.ALL if is_sharing else Scope.OWN, READERS),
        may_share=is_sharing,
    )


def list_choices(work: Work, scope: Scope, roles: Sequence[str]) -> list[StaffChoice]:
    """Return the present staff within the scope who have one of the roles, by name."""
    query = select(Staff.id, Staff.first_name, Staff.last_name, Staff.roles).where(
        Staff.tenant_id == work.tenant_id,
        Staff.deactivated_at.is_(None),
        or_(Staff.left_on.is_(None), Staff.left_on >= local_today(work)),
        Staff.roles.overlap(list(roles)),
        visible_staff(work, scope, Staff.id),
    )
    rows = work.db.execute(query.order_by(Staff.last_name, Staff.first_name, Staff.id))
    return [StaffChoice(row.id, f"{row.first_name} {row.last_name}", row.roles) for row in rows]


def run_with_brief(work: Work, report: NamedReport, period: Period) -> tuple[Result | None, list[str]]:
    """Return the result of a report and what it says, in comparison with the period before it."""
    definition = report.definition
    try:
        longer = run_report(work, replace(definition, periods=definition.periods + 1), period.start)
    except NoRefresh:
        return None, ["The figures have not been computed yet."]
    if definition.periods == 1:
        start = longer.starts[-1]
        result = replace(
            longer,
            definition=definition,
            starts=[start],
            lines=[line for line in longer.lines if line.period_start == start],
            totals={start: longer.totals[start]} if start in longer.totals else {},
            total={},
        )
    else:
        result = run_report(work, definition, period.start)
    return result, write_brief(result, longer, period)


def write_brief(result: Result, longer: Result, period: Period) -> list[str]:
    """Return how the first measure changed, where most of it or the worst of it is, and what is not shown."""
    sentences = []
    if result.measures:
        measure, before = result.measures[0], period.previous.start
        total = longer.totals.get(period.start, {}).get(measure.key)
        previous = longer.totals.get(before, {}).get(measure.key)
        if total is not None and total.value is not None:
            change = describe_change(measure.unit, total.value, previous.value if previous else None)
            since = f", {change} since {name_period_before(period.kind, before)}" if change else ""
            value = format_value(measure.unit, total.value)
            sentences.append(f"{measure.label} in {name_period(period.kind, period.start)}: {value}{since}.")
        lines = [line for line in result.lines if line.period_start == period.start and line.key != OTHERS]
        sentences += [sentence for sentence in [describe_lines(measure, lines)] if sentence]
    if result.left_out:
        left_out = ", ".join(measure.label for measure in result.left_out)
        sentences.append(f"Your roles do not show: {left_out}.")
    if result.hides_small_groups:
        sentences.append(SMALL_GROUPS)
    return sentences


def describe_lines(measure: Measure, lines: Sequence[Line]) -> str | None:
    """Return the line with the most, or the one that is furthest off by a metric, or None if there is only one."""
    values = {line.name: line.cells[measure.key].value for line in lines if measure.key in line.cells}
    known: dict[str, Decimal] = {name: value for name, value in values.items() if value is not None}
    if len(known) < 2 or len(set(known.values())) < 2:
        return None
    if measure.metric is None or measure.metric.value == "count":
        name = max(known, key=lambda name: known[name])
        return f"The largest is {name} with {format_value(measure.unit, known[name])}."
    choose = max if measure.metric.direction == "lower" else min
    name = choose(known, key=lambda name: known[name])
    return f"Look first at {name} with {format_value(measure.unit, known[name])}."
