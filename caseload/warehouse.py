"""The warehouse on the command line: `caseload refresh` and `caseload metrics`."""

from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from caseload.console import (
    AsJson,
    PracticeName,
    connect_installation,
    describe_error,
    find_practice_actor,
    now,
    out,
    print_error,
    print_result,
    show_progress,
)
from caseload.instants import parse_instant

if TYPE_CHECKING:
    from collections.abc import Generator
    from uuid import UUID

    from practice.analytics.values import MetricValue
    from practice.security.installation import Installation
    from practice.security.work import Actor
    from warehouse.builds import Build
    from warehouse.extraction import Progress
    from warehouse.rows import Row, Rows


class EngineName(StrEnum):
    """The engines that compute the warehouse."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"


class PeriodKind(StrEnum):
    """The kinds of periods."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class EntityKind(StrEnum):
    """The kinds of entities."""

    PRACTICE = "practice"
    CLINICIAN = "clinician"
    TEAM = "team"


COLORS = {"alert": "red", "below_target": "yellow", "on_target": "green"}
PERIODS_SHOWN = 12


def refresh(
    practices: Annotated[list[str] | None, typer.Argument(metavar="[PRACTICE]...", help="Default: all.")] = None,
    engine: Annotated[EngineName, typer.Option(help="The engine that computes.")] = EngineName.DUCKDB,
    full: Annotated[bool, typer.Option("--full", help="Copy and compute everything, not only what changed.")] = False,
    as_of: Annotated[
        str | None, typer.Option(help="Compute what was known at this instant, and publish nothing.")
    ] = None,
) -> None:
    """Compute the metrics of practices and publish them.

    Example: caseload refresh oak-street
    """
    from practice.people.practices import find_practice, list_all_practices
    from warehouse.refresh import refresh_practice

    instant = parse_instant(as_of) if as_of else None
    with connect_installation() as installation:
        with installation.store.begin_system_session() as db:
            found = [find_practice(db, name) for name in practices] if practices else list_all_practices(db)
            names = {practice.id: practice.name for practice in found}
        root = installation.settings.warehouse
        failed = False
        for tenant_id, name in names.items():
            try:
                with show_progress(f"Refreshing {name}") as report:
                    if instant:
                        message = build_aside(installation, tenant_id, instant, engine, report)
                    else:
                        refresh_practice(installation.store, root, tenant_id, now(), engine.value, report, full=full)
                        message = "Refreshed {}."
                out.print(message.format(name), markup=False)
            except Exception as error:  # the other practices get their values; this one keeps its last good ones
                failed = True
                print_error(f"{name} keeps the values of its last refresh. {describe_error(error)}")
    if failed:
        raise typer.Exit(1)


def build_aside(
    installation: "Installation", tenant_id: "UUID", as_of: datetime, engine: EngineName, report: "Progress"
) -> str:
    """Compute a practice's warehouse as of an instant, and return a message about it with a place for its name."""
    from warehouse.refresh import build_as_of, compute_aside

    store, root = installation.store, installation.settings.warehouse
    built = f"as of {as_of:%Y-%m-%d %H:%M:%S} UTC"
    if engine is EngineName.DUCKDB:
        built += f" in {build_as_of(store, root, tenant_id, as_of, report)}"
    else:
        with compute_aside(store, root, tenant_id, as_of, None, engine.value, report):
            pass
    return f"Computed {{}} {built}. Its published values stay as they are."


def show_metrics(
    practice: PracticeName,
    metric: Annotated[str | None, typer.Option(help="Only this metric, by its key.")] = None,
    period: Annotated[PeriodKind, typer.Option(help="The kind of periods.")] = PeriodKind.MONTH,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Periods that start on this day or later.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Periods that start on this day or before.")
    ] = None,
    entity: Annotated[EntityKind | None, typer.Option(help="Only this kind of entity.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Compute what was known at this instant.")] = None,
    engine: Annotated[EngineName | None, typer.Option(help="Compute as of now with this engine.")] = None,
    rows: Annotated[bool, typer.Option("--rows", help="Show the records behind the values.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the values of metrics.

    Those of the last refresh or, with --as-of, computed as of an instant.

    Example: caseload metrics oak-street --metric kept_visit_rate --period week
    """
    from practice.analytics.values import Selection, list_values, require_metric
    from practice.people.staff import load_staff_names
    from warehouse.builds import read_values
    from warehouse.rows import read_rows

    if metric is not None:
        require_metric(metric)
    elif rows:
        raise typer.BadParameter("Choose a metric with --metric: --rows shows the records behind its values.")
    instant = parse_instant(as_of) if as_of else now()
    first_on = first.date() if first else default_first(period, instant.date(), last.date() if last else None)
    selection = Selection(
        frozenset([metric]) if metric else None,
        period.value,
        first_on,
        last.date() if last else None,
        entity.value if entity else None,
    )
    with connect_installation() as installation:
        actor = find_practice_actor(installation, practice)
        refresh_id = None
        with installation.work(actor, now()) as work:
            names = load_staff_names(work)
            if not (as_of or engine):
                published, values = list_values(work, selection)
                instant, refresh_id = published.as_of, published.id
        if as_of or engine or rows:
            with open_build(installation, actor, refresh_id, instant, first_on, engine) as build:
                if as_of or engine:
                    values = read_values(build, selection)
                found = [(value, read_rows(build, actor.tenant_id, value.value_key)) for value in values if rows]
    if rows:
        document = [to_row_document(value, row) for value, behind in found for row in behind.rows]
        print_result(document, as_json, lambda: print_rows(found, names))
        return
    print_result([to_document(value) for value in values], as_json, lambda: print_values(values, names, instant))


@contextmanager
def open_build(
    installation: "Installation",
    actor: "Actor",
    refresh_id: "UUID | None",
    as_of: datetime,
    first_on: date,
    engine: EngineName | None,
) -> "Generator[Build]":
    """Yield the build of a refresh or, without one or when it is lost, one that is made aside."""
    from practice.analytics.errors import RowsUnavailable
    from warehouse.refresh import compute_aside, open_published

    root = installation.settings.warehouse
    published = None
    if refresh_id is not None:
        with suppress(RowsUnavailable):
            published = open_published(root, actor.tenant_id, refresh_id)
    if published is not None:
        yield published
        return
    name = (engine or EngineName.DUCKDB).value
    with (
        show_progress("Copying the records") as report,
        compute_aside(installation.store, root, actor.tenant_id, as_of, first_on, name, report) as build,
    ):
        yield build


def default_first(period: PeriodKind, today: date, last: date | None) -> date:
    """Return the day from which the last 12 periods start."""
    end = min(today, last) if last else today
    if period is PeriodKind.DAY:
        return end - timedelta(days=PERIODS_SHOWN - 1)
    if period is PeriodKind.WEEK:
        return end - timedelta(weeks=PERIODS_SHOWN) + timedelta(days=1)
    months = PERIODS_SHOWN * (3 if period is PeriodKind.QUARTER else 1)
    number = end.year * 12 + end.month - months
    return date(number // 12, number % 12 + 1, 1)


def to_document(value: "MetricValue") -> dict[str, Any]:
    """Return the value as JSON."""
    return {
        "metric_key": value.metric_key,
        "entity_kind": value.entity_kind,
        "entity_id": value.external_id,
        "period_kind": value.period_kind,
        "period_start": value.period_start.isoformat(),
        "numerator": float(value.numerator),
        "denominator": None if value.denominator is None else float(value.denominator),
        "value": None if value.value is None else float(value.value),
        "status": value.status,
    }


def print_values(values: "list[MetricValue]", names: "dict[UUID, str]", as_of: datetime) -> None:
    keys = {value.metric_key for value in values}
    single = len(keys) == 1  # then its name is the title: in a column of 80 characters it would be broken
    numbers = [Column(name, justify="right") for name in ("Numerator", "Denominator", "Value")]
    columns = ["Entity", Column("Period", no_wrap=True), *numbers, "Status"]
    table = Table(
        *([] if single else [Column("Metric", overflow="fold")]),
        *columns,
        title=next(iter(keys)) if single else None,
        title_justify="left",
    )
    for value in values:
        color = COLORS.get(value.status, "dim")
        table.add_row(
            *([] if single else [value.metric_key]),
            escape(f"{value.entity_kind} {names.get(value.entity_id, '')}".strip()),
            value.period_start.isoformat(),
            format_number(value.numerator),
            format_number(value.denominator),
            "" if value.value is None else f"{value.value}",
            f"[{color}]{value.status.replace('_', ' ')}[/]",
        )
    out.print(table)
    out.print(f"As of {as_of:%Y-%m-%d %H:%M} UTC.")


def to_row_document(value: "MetricValue", row: "Row") -> dict[str, Any]:
    """Return a row behind a value as JSON."""
    return {
        "metric_key": value.metric_key,
        "entity_kind": value.entity_kind,
        "entity_id": value.external_id,
        "period_kind": value.period_kind,
        "period_start": value.period_start.isoformat(),
        "kind": row.kind,
        "id": str(row.id),
        "on_date": row.on_date.isoformat() if row.on_date else None,
        "numerator": float(row.numerator),
        "denominator": None if row.denominator is None else float(row.denominator),
        "reason": row.reason,
    }


def print_rows(found: "list[tuple[MetricValue, Rows]]", names: "dict[UUID, str]") -> None:
    """Print the rows behind values, each value with its sums."""
    for value, behind in found:
        numbers = [Column(name, justify="right") for name in ("Numerator", "Denominator")]
        entity = f"{value.entity_kind} {names.get(value.entity_id, '')}".strip()
        title = f"{value.metric_key}, {entity}, {value.period_kind} of {value.period_start}"
        record = Column("Record", overflow="fold")
        day = Column("Day", no_wrap=True)
        table = Table(day, record, "Clinician", *numbers, "Reason", title=escape(title), title_justify="left")
        for row in behind.rows:
            table.add_row(
                row.on_date.isoformat() if row.on_date else "",
                f"{row.kind} {row.id}",
                escape(names.get(row.clinician_id, "") if row.clinician_id else ""),
                format_number(row.numerator),
                format_number(row.denominator),
                row.reason,
            )
        sums = (format_number(behind.numerator), format_number(behind.denominator))
        table.add_row("", f"{behind.count} rows", "", *sums, "", style="bold")
        out.print(table)


def format_number(number: Fraction | None) -> str:
    return "" if number is None else f"{float(number):.2f}".rstrip("0").rstrip(".")
