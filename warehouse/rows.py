"""The rows behind a value: those that a build counted, whose sums are its numerator and denominator."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

from practice.analytics.errors import NoSuchValue
from practice.analytics.values import ValueKey, compute_denominator
from practice.metric_dictionary import METRICS, Metric
from warehouse.builds import Build


@dataclass(frozen=True, slots=True)
class Row:
    """A record that a value counts, by its id, with its share of the numerator and the denominator."""

    kind: str
    id: UUID
    clinician_id: UUID | None
    on_date: date | None
    numerator: Fraction
    denominator: Fraction | None
    reason: str


class Rows(NamedTuple):
    """A page of the rows behind a value, and the number and sums of all of them."""

    rows: list[Row]
    count: int
    numerator: Fraction
    denominator: Fraction | None


ALL = 1 << 62
# A dated row counts on its own day, a state on the last day of the period that has begun. Records of a clinician count
# for a team while the clinician is in it, and for the practice always.
MEMBERS = """(
    $2 = 'practice' or exists (
        select 1 from {schema}.entity_members as m
        where m.entity_kind = $2 and m.entity_id = cast($3 as uuid) and m.clinician_id = r.clinician_id
            and m.from_on <= {day} and m.until_on > {day}
    )
)"""
PERIOD = """
    select period_start, period_end, last_on, cast($1 as uuid) as tenant_id
    from {schema}.periods where period_kind = $4 and period_start = cast($5 as date)
"""
DATED = """
    select r.row_id, r.clinician_id, r.{date} as on_date, {numerator} as numerator, {denominator} as denominator
    from {schema}.{fact} as r
    cross join p
    where r.tenant_id = p.tenant_id and r.{date} >= p.period_start and r.{date} < p.period_end and ({among})
        and {members}
"""
STATE = """
    select r.row_id, r.clinician_id, r.from_on as on_date, {numerator} as numerator, {denominator} as denominator
    from {schema}.{fact} as r
    cross join p
    where r.tenant_id = p.tenant_id and r.from_on <= p.last_on and (r.until_on is null or r.until_on > p.last_on)
        and ({among}) and {members}
"""
PERIOD_ROWS = """
    select r.row_id, r.clinician_id, r.on_date, r.numerator, r.denominator
    from {schema}.{key} as r
    cross join p
    where r.tenant_id = p.tenant_id and r.entity_kind = $2 and r.entity_id = cast($3 as uuid)
        and r.period_kind = $4 and r.period_start = p.period_start
"""
# Postings that became known later count in the periods whose end they precede.
KNOWN_BY_THE_END = "r.from_on <= p.last_on and (r.until_on is null or r.until_on > p.last_on)"
CELL = """
    select receivable_days, computed_in from {schema}.cells
    where entity_kind = $1 and entity_id = cast($2 as uuid) and period_kind = $3 and period_start = cast($4 as date)
"""
PAGE = """
    with p as ({period}),
    counted as ({rows}),
    behind as (
        select
            row_id, clinician_id, min(on_date) as on_date,
            cast(sum(numerator) as bigint) as numerator, cast(sum(denominator) as bigint) as denominator
        from counted
        group by row_id, clinician_id{each_day}
    )
    select page.*, s.*
    from (
        select
            count(*) as row_count, cast(coalesce(sum(numerator), 0) as bigint) as all_numerators,
            cast(coalesce(sum(denominator), 0) as bigint) as all_denominators
        from behind where {keeps}
    ) as s
    left join (
        select * from behind where {keeps}
        order by on_date, row_id, clinician_id
        limit cast($6 as bigint) offset cast($7 as bigint)
    ) as page on true
    order by page.on_date, page.row_id, page.clinician_id
"""


def read_rows(build: Build, tenant_id: UUID, key: ValueKey, limit: int = ALL, offset: int = 0) -> Rows:
    """Return rows behind a value in the order of their days, and the number and sums of all of them.

    Raises NoSuchValue if the entity or the period has no values.
    """
    metric = METRICS[key.metric_key]
    place = [key.entity_kind, str(key.entity_id), key.period_kind, key.period_start.isoformat()]
    cells = build.fetch(CELL.format(schema=build.schema), place)
    if not cells:
        raise NoSuchValue
    days, schema = cells[0]
    found = build.fetch(format_query(metric, schema), [str(tenant_id), *place, limit, offset])
    rows = [convert_row(metric, days, *row[:5]) for row in found if row[0] is not None]
    count, numerator, denominator = found[0][5:]
    return Rows(
        rows, count, Fraction(numerator, metric.numerator_scale), compute_denominator(denominator, metric, days)
    )


def convert_row(
    metric: Metric,
    days: int,
    row_id: UUID,
    clinician_id: UUID | None,
    on_date: date | None,
    numerator: int,
    denominator: int,
) -> Row:
    reason = metric.counted if numerator or not metric.not_counted else metric.not_counted
    return Row(
        metric.row_kind,
        row_id,
        clinician_id,
        on_date,
        Fraction(numerator, metric.numerator_scale),
        compute_denominator(denominator, metric, days)
        if denominator
        else None
        if metric.value == "count"
        else Fraction(0),
        reason,
    )


def format_query(metric: Metric, schema: str) -> str:
    """Return the query of a page of rows. The conditions are those that the metric's own file states."""
    if metric.shape == "period":
        rows = PERIOD_ROWS.format(schema=schema, key=metric.key)
    else:
        rows = (DATED if metric.shape == "dated" else STATE).format(
            schema=schema,
            fact=metric.fact,
            date=metric.date,
            among=KNOWN_BY_THE_END if metric.late_sums else metric.among,
            numerator=metric.numerator,
            denominator=metric.denominator,
            members=MEMBERS.format(schema=schema, day=f"r.{metric.date}" if metric.shape == "dated" else "p.last_on"),
        )
    return PAGE.format(
        period=PERIOD.format(schema=schema),
        rows=rows,
        each_day=", on_date" if metric.row_kind == "clinician_day" else "",
        keeps="true" if metric.shape == "dated" else "numerator <> 0 or denominator <> 0",
    )
