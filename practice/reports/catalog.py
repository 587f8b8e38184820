"""What a person can choose from: standard reports and measures that they may see, and the report that a key names."""

from dataclasses import dataclass, replace
from uuid import UUID

from practice.errors import NotFound
from practice.reports.measures import MEASURES, Measure
from practice.reports.models import ReportDefinition
from practice.reports.results import select_visible
from practice.reports.rules import Definition, definition_problems
from practice.reports.saved import get_report, load_definition
from practice.reports.standard import STANDARD_REPORTS, StandardReport
from practice.security.permissions import find_scope
from practice.security.work import Work


@dataclass(frozen=True)
class NamedReport:
    """A standard report or a saved one, with its name and definition."""

    key: str
    name: str
    about: str
    definition: Definition
    saved: ReportDefinition | None = None


def list_measures(work: Work) -> list[Measure]:
    """Return the measures that the person may see."""
    return select_visible(work, MEASURES.values())


def list_standard_reports(work: Work) -> list[StandardReport]:
    """Return the standard reports of which the person may see every measure."""
    visible = {measure.key for measure in list_measures(work)}
    return [report for report in STANDARD_REPORTS.values() if visible.issuperset(report.definition.measures)]


def find_report(work: Work, key: str) -> NamedReport:
    """Return the standard report with this key, or the saved one with this id, or raise NotFound."""
    if key in STANDARD_REPORTS:
        found = next((report for report in list_standard_reports(work) if report.key == key), None)
        if found is None:
            raise NotFound
        return NamedReport(found.key, found.name, found.about, found.definition)
    try:
        report = get_report(work, UUID(key))
    except ValueError:
        raise NotFound from None
    return name_saved(report)


def name_saved(report: ReportDefinition) -> NamedReport:
    return NamedReport(str(report.id), report.name, "", load_definition(report.definition), report)


def choose_period(definition: Definition, period: str | None) -> Definition:
    """Return the definition with other periods, if its measures have them."""
    changed = replace(definition, period=period or definition.period)
    return definition if definition_problems(changed) else changed


def may_share(work: Work) -> bool:
    return find_scope(work.actor.roles, "reports", "share") is not None
