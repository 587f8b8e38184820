"""Results of reports: the lines that a person may see of a definition, with totals of exactly those lines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from sqlalchemy import select

from practice.analytics.errors import TooManyValues
from practice.analytics.periods import shift_period, start_of_period
from practice.analytics.values import MetricValue, Refresh, Selection, get_refresh, list_values
from practice.analytics.visibility import load_visibility
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.payers import list_payers
from practice.people.practice_time import local_today
from practice.reports.measures import MEASURES, Measure
from practice.reports.rules import (
    NAME,
    Definition,
    adds_up_over_clinicians,
    adds_up_over_periods,
    compute_value,
    merge_small_groups,
)
from practice.reports.sums import AGE_BANDS, CLIENTS, UNKNOWN, Frame, load_sums
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work

MAX_LINES = 5000
OTHERS = "others"  # small groups that are put together, or whatever the practice counts beside its clinicians
ACTIONS = {"postings": "money", "charges": "money", "claims": "money", "clients": "clients"}


@dataclass(frozen=True)
class Cell:
    """A value with its sums. `published` cells are a metric's value of an entity, which has rows of its own."""

    numerator: Fraction
    denominator: Fraction | None
    value: Decimal | None
    entity_kind: str = ""


@dataclass(frozen=True)
class Line:
    """A group in a period. Measures that do not exist for it are left out."""

    period_start: date | None
    key: str
    name: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Result:
    """A report as one person sees it. `left_out` are measures that they may not see.

    Totals are by period; `total` is of all periods, for measures that add up over time.
    """

    definition: Definition
    refresh: Refresh
    starts: Sequence[date]
    measures: Sequence[Measure]
    left_out: Sequence[Measure]
    lines: Sequence[Line]
    totals: Mapping[date, Mapping[str, Cell]]
    total: Mapping[str, Cell]
    hides_small_groups: bool


@dataclass
class Cells:
    """The cells of a report while it is put together: by period and key, and the totals."""

    lines: dict[tuple[date, str], dict[str, Cell]] = field(default_factory=lambda: defaultdict(dict))
    totals: dict[date, dict[str, Cell]] = field(default_factory=lambda: defaultdict(dict))


def run_report(work: Work, definition: Definition, day: date | None = None) -> Result:
    """Return the report for the current person, in the periods up to that of the day, or of today.

    Raises NoRefresh before the first refresh, whose instant all figures share.
    """
    refresh = get_refresh(work)
    last = start_of_period(definition.period, day or local_today(work))
    numbers = range(1 - definition.periods, 1)
    starts = [shift_period(definition.period, last, number) for number in numbers]
    measures = [MEASURES[key] for key in definition.measures]
    shown = select_visible(work, measures)
    cells = Cells()
    add_metrics(work, definition, starts, [measure for measure in shown if measure.metric], cells)
    for source in dict.fromkeys(measure.source for measure in shown if not measure.metric):
        scope = find_scope(work.actor.roles, "reports", ACTIONS[source]) or Scope.OWN
        frame = Frame(
            definition.period, starts, refresh.as_of, list_chosen_clinicians(work, scope, definition.clinician_ids)
        )
        add_sums(work, source, definition.group, frame, [m for m in shown if m.source == source], cells)
    if definition.group == "total":
        for start in starts:
            cells.lines[start, ""] = dict(cells.totals[start])
    if len(cells.lines) > MAX_LINES:
        raise TooManyValues
    names = load_names(work, definition.group, {key for _, key in cells.lines})
    lines = [Line(start, key, names.get(key, key), found) for (start, key), found in cells.lines.items() if found]
    return Result(
        definition,
        refresh,
        starts,
        shown,
        [measure for measure in measures if measure not in shown],
        sort_lines(lines, definition),
        cells.totals,
        add_up_periods(shown, cells.totals) if len(starts) > 1 else {},
        any(measure.source == "clients" for measure in shown),
    )


def select_visible(work: Work, measures: Iterable[Measure]) -> list[Measure]:
    """Return the measures that the person may see of anybody at all."""
    visibility, roles = load_visibility(work), work.actor.roles
    return [
        measure
        for measure in measures
        if (
            measure.key in visibility.metric_keys or visibility.entities
            if measure.metric
            else find_scope(roles, "reports", ACTIONS[measure.source])
        )
    ]


def list_chosen_clinicians(work: Work, scope: Scope, clinician_ids: Sequence[UUID]) -> list[UUID] | None:
    """Return those of the clinicians, or of all, whom the person may see; None means everybody."""
    if scope is Scope.ALL and not clinician_ids:
        return None
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, visible_staff(work, scope, Staff.id))
    return list(work.db.scalars(query.where(Staff.id.in_(clinician_ids)) if clinician_ids else query))


def add_metrics(
    work: Work, definition: Definition, starts: Sequence[date], measures: Sequence[Measure], cells: Cells
) -> None:
    """Add the published values of entities that the person may see, and their totals."""
    if not measures:
        return
    visibility, chosen = load_visibility(work), set(definition.clinician_ids)
    keys = frozenset(measure.key for measure in measures)
    _, values = list_values(work, Selection(keys, definition.period, starts[0], starts[-1]))
    kind = "team" if definition.group == "team" else "clinician"
    found: dict[tuple[date, str], list[MetricValue]] = defaultdict(list)
    practice: dict[tuple[date, str], MetricValue] = {}
    for value in values:
        if not visibility.includes(value.metric_key, (value.entity_kind, value.entity_id)):
            continue
        if value.entity_kind == "practice" and not chosen and kind == "clinician":
            practice[value.period_start, value.metric_key] = value
        elif value.entity_kind == kind and (not chosen or value.entity_id in chosen):
            found[value.period_start, value.metric_key].append(value)
    for start in starts:
        for measure in measures:
            of_people, of_all = found[start, measure.key], practice.get((start, measure.key))
            if definition.group != "total":
                for value in of_people:
                    cells.lines[start, str(value.entity_id)][measure.key] = to_cell(value)
            if kind == "clinician":
                add_metric_total(start, measure, of_people, of_all, cells, has_lines=definition.group != "total")


def add_metric_total(
    start: date,
    measure: Measure,
    of_people: Sequence[MetricValue],
    of_all: MetricValue | None,
    cells: Cells,
    *,
    has_lines: bool,
) -> None:
    """Add the total of a metric: the practice's value, with a line for what no clinician counts, or the sum."""
    together = add_up(measure, [to_cell(value) for value in of_people]) if adds_up_over_clinicians(measure) else None
    if of_all is None:
        if together is not None and of_people:
            cells.totals[start][measure.key] = together
        return
    total = cells.totals[start][measure.key] = to_cell(of_all)
    if not has_lines or together is None:
        return
    numerator = total.numerator - together.numerator
    denominator = None if total.denominator is None else total.denominator - (together.denominator or 0)
    if numerator or denominator:
        rest = Cell(numerator, denominator, compute_value(measure, numerator, denominator))
        cells.lines[start, OTHERS][measure.key] = rest


def to_cell(value: MetricValue) -> Cell:
    return Cell(value.numerator, value.denominator, value.value, value.entity_kind)


def add_up(measure: Measure, cells: Iterable[Cell]) -> Cell:
    """Return the cell of the sums."""
    cells = list(cells)
    numerator = sum((cell.numerator for cell in cells), Fraction(0))
    divided = [cell.denominator for cell in cells if cell.denominator is not None]
    denominator = sum(divided, Fraction(0)) if divided else None
    return Cell(numerator, denominator, compute_value(measure, numerator, denominator))


def add_sums(work: Work, source: str, group: str, frame: Frame, measures: Sequence[Measure], cells: Cells) -> None:
    """Add sums of money, claims or clients, and their totals. Small groups of clients are put together."""
    groups: dict[date, dict[str, dict[str, int]]] = {start: {} for start in frame.starts}
    for row in load_sums(work, source, group, frame):
        groups[row.start][row.key] = row.sums
    for start, rows in groups.items():
        if source == "clients":
            shown, together = merge_small_groups({key: sums["clients"] for key, sums in rows.items()})
            rows = {key: {"clients": count} for key, count in shown.items()}
            rows |= {OTHERS: {"clients": together}} if together else {}
        names = {name for sums in rows.values() for name in sums}
        total = {name: sum(sums[name] for sums in rows.values()) for name in names}
        for measure in measures:
            if total:
                cells.totals[start][measure.key] = build_cell(measure, total, total)
            for key, sums in rows.items() if group != "total" else ():
                cells.lines[start, key][measure.key] = build_cell(measure, sums, total)


def build_cell(measure: Measure, sums: Mapping[str, int], total: Mapping[str, int]) -> Cell:
    """Return the cell of a measure of money, in dollars, or of a number."""
    is_money = measure.source in ("postings", "charges") or measure.unit == "dollars"
    scale = 100 if is_money else 1
    numerator = Fraction(sums[measure.numerator], scale)
    if not measure.denominator:
        return Cell(numerator, None, compute_value(measure, numerator, None))
    over = total[measure.numerator] if measure.denominator == "all" else sums[measure.denominator]
    denominator = Fraction(over, scale)
    return Cell(numerator, denominator, compute_value(measure, numerator, denominator))


def add_up_periods(measures: Sequence[Measure], totals: Mapping[date, Mapping[str, Cell]]) -> dict[str, Cell]:
    """Return the totals of all periods, of measures that add up over time."""
    return {
        measure.key: add_up(measure, [found[measure.key] for found in totals.values() if measure.key in found])
        for measure in measures
        if adds_up_over_periods(measure) and any(measure.key in found for found in totals.values())
    }


def load_names(work: Work, group: str, keys: set[str]) -> dict[str, str]:
    """Return the names of groups by key."""
    if group in ("clinician", "team"):
        ids = [UUID(key) for key in keys if key != OTHERS]
        people = select(Staff.id, Staff.first_name, Staff.last_name)
        people = people.where(Staff.tenant_id == work.tenant_id, Staff.id.in_(ids))
        ending = "'s team" if group == "team" else ""
        names = {str(row.id): f"{row.first_name} {row.last_name}{ending}" for row in work.db.execute(people)}
        return names | {OTHERS: "Everybody else"}
    if group == "payer":
        names = {f"payer:{payer.id}": payer.name for payer in list_payers(work)}
        unnamed = {key: key.removeprefix("payer:") for key in keys if key.startswith("payer:")}
        return unnamed | names | {CLIENTS: "Clients themselves", UNKNOWN: "Unknown payer", OTHERS: "Other payers"}
    if group == "age":
        return {str(number): band for number, band in enumerate(AGE_BANDS)} | {OTHERS: "Other age groups"}
    return {"": "All together" if group == "total" else "Not recorded", OTHERS: "Others"}


def sort_lines(lines: Iterable[Line], definition: Definition) -> list[Line]:
    """Return the lines by period, in each by the order of the definition; those without a value come last."""

    def rank(line: Line) -> tuple[bool, Decimal]:
        cell = line.cells.get(definition.order_by)
        if cell is None or cell.value is None:
            return True, Decimal(0)
        return False, -cell.value if definition.descending else cell.value

    lines = sorted(lines, key=lambda line: line.key if definition.group == "age" else line.name.casefold())
    if definition.order_by != NAME:
        lines.sort(key=rank)
    elif definition.descending:
        lines.reverse()
    lines.sort(key=lambda line: line.key == OTHERS)
    return sorted(lines, key=lambda line: line.period_start or date.min)
