"""The warehouse on the command line: `caseload refresh` and `caseload metrics`."""

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
    from uuid import UUID

    from practice.analytics.values import MetricValue, Selection
    from practice.security.installation import Installation
    from practice.security.work import Actor
    from warehouse.extraction import Progress


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
    full: Annotated[bool, typer.Option("--full", help="Copy all records, not only those that changed.")] = False,
    as_of: Annotated[
        str | None, typer.Option(help="Compute what was known at this instant, and publish nothing.")
    ] = None,
) -> None:
    """Compute all metrics of practices as of now, and publish them.

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
    as_json: AsJson = False,
) -> None:
    """Show the values of metrics: those of the last refresh or, with --as-of, computed as of an instant.

    Example: caseload metrics oak-street --metric kept_visit_rate --period week
    """
    from practice.analytics.errors import UnknownMetric
    from practice.analytics.values import Selection, list_values
    from practice.metric_dictionary import METRICS
    from practice.people.staff import load_staff_names

    if metric is not None and metric not in METRICS:
        raise UnknownMetric(f"Unknown metric: {metric!r}. Use one of these: {', '.join(METRICS)}.")
    instant = parse_instant(as_of) if as_of else now()
    first_on = first.date() if first else default_first(period, instant.date(), last.date() if last else None)
    selection = Selection(
        metric, period.value, first_on, last.date() if last else None, entity.value if entity else None
    )
    with connect_installation() as installation:
        actor = find_practice_actor(installation, practice)
        if as_of or engine:
            values = compute_values(installation, actor, instant, selection, engine or EngineName.DUCKDB)
        with installation.work(actor, now()) as work:
            names = load_staff_names(work)
            if not (as_of or engine):
                instant, values = list_values(work, selection)
    print_result([to_document(value) for value in values], as_json, lambda: print_values(values, names, instant))


def compute_values(
    installation: "Installation", actor: "Actor", as_of: datetime, selection: "Selection", engine: EngineName
) -> "list[MetricValue]":
    """Return values computed as of an instant, without publishing them."""
    from warehouse.builds import read_values
    from warehouse.refresh import compute_aside

    root = installation.settings.warehouse
    with (
        show_progress("Copying the records") as report,
        compute_aside(installation.store, root, actor.tenant_id, as_of, selection.first, engine.value, report) as build,
    ):
        return read_values(build, selection)


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
    numbers = [Column(name, justify="right") for name in ("Numerator", "Denominator", "Value")]
    table = Table("Metric", "Entity", "Period", *numbers, "Status")
    for value in values:
        color = COLORS.get(value.status, "dim")
        table.add_row(
            value.metric_key,
            escape(f"{value.entity_kind} {names.get(value.entity_id, '')}".strip()),
            value.period_start.isoformat(),
            format_number(value.numerator),
            format_number(value.denominator),
            "" if value.value is None else f"{value.value}",
            f"[{color}]{value.status.replace('_', ' ')}[/]",
        )
    out.print(table)
    out.print(f"As of {as_of:%Y-%m-%d %H:%M} UTC.")


def format_number(number: Fraction | None) -> str:
    return "" if number is None else f"{float(number):.2f}".rstrip("0").rstrip(".")
