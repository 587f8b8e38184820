"""The records behind a sum of a report: postings, charges or claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from practice.analytics.periods import start_of_period
from practice.analytics.values import Refresh, get_refresh
from practice.errors import FieldProblem, Invalid
from practice.reports.measures import MEASURES
from practice.reports.results import list_chosen_clinicians
from practice.reports.sums import Frame, Record, list_records
from practice.security.permissions import Scope
from practice.security.work import Work


@dataclass(frozen=True)
class RecordsOf:
    """A sum of a group in a period, narrowed down to some clinicians or not."""

    measure: str
    period: str
    start: date
    group: str
    key: str
    clinician_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class FoundRecords:
    """The records of a page, with the number and the sum of all, in units of which `scale` make a dollar or one."""

    refresh: Refresh
    records: Sequence[Record]
    count: int
    total: int
    scale: int


def load_records(work: Work, scope: Scope, about: RecordsOf, limit: int, offset: int) -> FoundRecords:
    """Return the records that count for people within the scope, or raise Invalid, and record whose they are."""
    measure = MEASURES.get(about.measure)
    if measure is None or measure.source in ("metrics", "clients"):
        raise Invalid([FieldProblem("measure", "Choose a measure of money or claims.")])
    if about.group not in measure.groups:
        raise Invalid([FieldProblem("group", f"Choose one of: {', '.join(sorted(measure.groups))}.")])
    if about.start != start_of_period(about.period, about.start):
        raise Invalid([FieldProblem("start", "Choose the first day of a period.")])
    refresh = get_refresh(work)
    staff_ids = list_chosen_clinicians(work, scope, about.clinician_ids)
    frame = Frame(about.period, [about.start], refresh.as_of, staff_ids)
    key = None if about.group == "total" else about.key
    found = list_records(work, measure.source, measure.numerator, about.group, key, frame, limit, offset)
    client_ids = {record.client_id for record in found[0]}
    work.record_list("reports.rows", client_ids, measure=measure.key)
    is_money = measure.source in ("postings", "charges") or measure.unit == "dollars"
    return FoundRecords(refresh, *found, 100 if is_money else 1)
