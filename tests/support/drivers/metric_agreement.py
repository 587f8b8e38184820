"""The comparison of the warehouse with the independent computation, cell by cell, for edge practices."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.bundle.load import import_bundle
from practice.analytics.values import MetricValue, Selection
from practice.people.models.practices import Practice
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.bundles import write_folder
from tests.support.builders.edge_practices.draft import EdgePractice
from tests.support.oracles.metrics.calendar import DAY, Calendar, Period, find_period, list_periods
from tests.support.oracles.metrics.values import Key, Value, compute_values
from warehouse.builds import read_values
from warehouse.refresh import compute_aside

KINDS = ("day", "week", "month", "quarter")
Values = dict[Key, Value]


@dataclass(frozen=True)
class Difference:
    """A cell with two values. None is a cell that does not exist."""

    key: Key
    expected: Value | None
    computed: Value | None


def be_quiet(_message: str) -> None:
    """Report no progress."""


def import_edge_practice(installation: Installation, folder: Path, edge: EdgePractice) -> Practice:
    """Import an edge practice, and change its settings at the instants given."""
    write_folder(folder, edge.tables)
    practice = import_bundle(installation, folder, edge.imported_at, be_quiet, allow_overlaps=True).practice
    for setting in edge.settings:
        with installation.work(Actor(practice.id), setting.set_at) as work:
            change_setting(work, setting.key, setting.value, setting.effective_on)
    return practice


def list_all_periods(edge: EdgePractice, as_of: datetime) -> list[Period]:
    """Return the periods from before the first hire on, also those that have not begun.

    Left out is the day of a date that the zone skips: D lies before it.
    """
    first, calendar = edge.span.first - 10 * DAY, Calendar(edge.span.time_zone)
    return [
        period
        for kind in KINDS
        for period in list_periods(kind, find_period(kind, first).start, as_of.date() + 2 * DAY)
        if kind != "day" or calendar.has_date(period.start)
    ]


def compute_expected(edge: EdgePractice, as_of: datetime) -> Values:
    return dict(compute_values(edge.tables, as_of, list_all_periods(edge, as_of), edge.settings))


def compute_warehouse(
    installation: Installation, practice: Practice, edge: EdgePractice, as_of: datetime, engine: str, root: Path
) -> Values:
    """Return the values of a build as of an instant."""
    starts = {kind: [period.start for period in list_all_periods(edge, as_of) if period.kind == kind] for kind in KINDS}
    first = min(starts[kind][0] for kind in KINDS)
    values: list[MetricValue] = []
    with compute_aside(installation.store, root, practice.id, as_of, first, engine, be_quiet) as build:
        for kind in KINDS:
            values += read_values(build, Selection(None, kind, starts[kind][0], starts[kind][-1]))
    listed = {(kind, start) for kind in KINDS for start in starts[kind]}
    return {
        Key(v.metric_key, v.entity_kind, v.external_id, v.period_kind, v.period_start): Value(
            v.numerator, v.denominator, v.value, v.status
        )
        for v in values
        if (v.period_kind, v.period_start) in listed
    }


def list_differences(expected: Values, computed: Values) -> list[Difference]:
    return [
        Difference(key, expected.get(key), computed.get(key))
        for key in sorted(expected.keys() | computed.keys())
        if expected.get(key) != computed.get(key)
    ]
