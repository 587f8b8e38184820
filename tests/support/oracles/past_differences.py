"""Values of finished periods that two refreshes disagree about, each with the changed record that explains it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from practice.analytics.values import ValueKey
from practice.metric_dictionary import METRICS, Metric
from tests.support.oracles.kept_results import OpenResult, list_differences
from tests.support.oracles.record_changes import RecordChange

DAY = timedelta(days=1)
LONGEST_REBOOKING = 60 * DAY  # the simulation sets no longer window
# Metrics that judge a record only once its time is over: it enters at that moment, without a change.
DUE_TIMES = {
    "notes_signed_within_7_days_rate": "select note_due_at from {schema}.appointments where row_id = $1",
    "weekly_deadline_rate": "select deadline_at from {schema}.appointments where row_id = $1",
    "supervision_note_timeliness": "select note_due_at from {schema}.supervision_sessions where row_id = $1",
}
UNANSWERED = "select responded_at is null from {schema}.stg_incidents where incident_id = $1"
# Of these an appointment's client counts too: their other appointments, their coverages.
BY_CLIENT = {"rebook_rate", "insurance_verification_rate"}
COMPUTED_IN = (
    "select distinct computed_in from {schema}.cells where period_kind = $1 and period_start = cast($2 as date)"
)
CLIENT_OF = "select client_id from {schema}.appointments where row_id = $1"
Days = tuple[date, date]


@dataclass
class Difference:
    """A value of a finished period that differs, and what explains each row behind it that does."""

    key: ValueKey
    before: Any
    after: Any
    explanations: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)  # the tables of the changed records, or a time that has passed
    unexplained: list[str] = field(default_factory=list)


class Comparison:
    """Two results one after the other, and the changes that were made between their instants."""

    def __init__(self, former: OpenResult, later: OpenResult, changes: Iterable[RecordChange]) -> None:
        self.former, self.later = former, later
        self.by_record: dict[UUID, list[RecordChange]] = defaultdict(list)
        self.closures: list[RecordChange] = []
        for change in changes:
            if former.as_of < change.at <= later.as_of:
                for record_id in change.about:
                    self.by_record[record_id].append(change)
                if change.table == "closures":
                    self.closures.append(change)

    def list_differences(self) -> Iterator[Difference]:
        """Yield each value that differs and whose period had ended by the former instant."""
        finished = self.former.list_finished()
        for key, before, after in list_differences(self.former.read_values(), self.later.read_values()):
            last_on = finished.get((key.period_kind, key.period_start))
            if last_on is not None:
                difference = Difference(key, before, after)
                self.explain(difference, last_on)
                yield difference

    def explain(self, difference: Difference, last_on: date) -> None:
        """Find the change behind each row that differs, or say which has none."""
        key, metric = difference.key, METRICS[difference.key.metric_key]
        before, after = (sum_rows(result, metric, key) for result in (self.former, self.later))
        different = [row for row in before.keys() | after.keys() if before.get(row) != after.get(row)]
        for row in different:
            change = self.find_change(metric, row, (key.period_start, last_on))
            passed = None if change else self.find_passed_time(metric, key, row)
            if change:
                difference.explanations.append(f"{row[0]} {row[1]}: {change}")
                difference.kinds.add(change.table)
            elif passed:
                difference.explanations.append(f"{row[0]} {row[1]}: {passed}")
                difference.kinds.add("time that has passed")
            else:
                difference.unexplained.append(f"{row}: {before.get(row)} became {after.get(row)}")
        if not different:
            self.explain_entity(difference, last_on)

    def explain_entity(self, difference: Difference, last_on: date) -> None:
        """Explain a value without rows of an entity that did not exist before: somebody was added to the staff, whose
        first day the period does not precede."""
        is_new = difference.before is None and not any(difference.after[:2])
        found = [change for change in self.by_record[difference.key.entity_id] if change.table == "staff"]
        change = next((change for change in found if change.shows_from <= last_on), None)
        if is_new and change:
            difference.explanations.append(f"the entity exists since {change}")
            difference.kinds.add("staff")
        else:
            difference.unexplained.append("no row behind it differs")

    def find_change(self, metric: Metric, row: tuple[Any, ...], days: Days) -> RecordChange | None:
        """Return a change that concerns the row, and the period."""
        kind, row_id, clinician_id, on_date = row
        ids = {clinician_id if kind == "clinician_day" else row_id}
        if metric.key in BY_CLIENT:
            ids |= {
                client_id for result in (self.former, self.later) for (client_id,) in fetch(result, CLIENT_OF, row_id)
            }
        found = [change for record_id in ids for change in self.by_record[record_id]]
        if kind == "clinician_day":
            found += self.closures
            return next((c for c in found if c.first_on <= on_date <= c.last_on), None)
        if metric.shape == "state" or metric.late_sums:
            return next((c for c in found if c.shows_from <= days[1]), None)
        last_on = days[1] + LONGEST_REBOOKING if metric.key == "rebook_rate" else days[1]
        first_on = date.min if metric.key == "client_retention_90d" else days[0]
        return next((c for c in found if c.first_on <= last_on and c.last_on >= first_on), None)

    def find_passed_time(self, metric: Metric, key: ValueKey, row: tuple[Any, ...]) -> str | None:
        """Return which time of the record passed between the instants, if the metric judges by it."""
        if metric.key in DUE_TIMES:
            [(schema,)] = self.later.build.fetch(
                COMPUTED_IN.format(schema=self.later.build.schema), [key.period_kind, key.period_start.isoformat()]
            )  # with the windows in force on the last day of the period
            for (due_at,) in self.later.build.fetch(DUE_TIMES[metric.key].format(schema=schema), [str(row[1])]):
                if self.former.as_of < due_at <= self.later.as_of:
                    return f"due at {due_at.isoformat()}"
        if metric.key == "breach_response_hours" and fetch(self.former, UNANSWERED, row[1]) == [(True,)]:
            return "unanswered"
        return None


def fetch(result: OpenResult, query: str, row_id: UUID) -> list[tuple[Any, ...]]:
    return result.build.fetch(query.format(schema=result.build.schema), [str(row_id)])


def sum_rows(result: OpenResult, metric: Metric, key: ValueKey) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Return the shares of the rows behind a value. Of a state it does not matter since when a row holds."""
    sums: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    for (kind, row_id, clinician_id, on_date), row in result.read_rows(key).items():
        place = (kind, row_id, clinician_id, None if metric.shape == "state" else on_date)
        numerator, denominator = sums.get(place, (0, 0))
        sums[place] = (numerator + row.numerator, denominator + (row.denominator or 0))
    return sums
