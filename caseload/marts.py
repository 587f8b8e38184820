"""Reading the marts of practices: `caseload lake` and `caseload sql`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from caseload.console import (
    AsJson,
    connect_installation,
    describe_error,
    now,
    out,
    print_error,
    print_result,
    show_progress,
)

if TYPE_CHECKING:
    from practice.analytics.marts import Result
    from practice.people.models.practices import Practice
    from practice.security.installation import Installation

MAX_ROWS = 1_000  # in a table; JSON has all


def write_lake(
    places: Annotated[list[str], typer.Argument(metavar="PRACTICE FOLDER", help="With --all, only FOLDER.")],
    all_practices: Annotated[bool, typer.Option("--all", help="All practices.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the marts of a practice as Parquet files.

    A DuckDB file has views over them. They have no names or contacts.

    Example: caseload lake oak-street lake/
    """
    from practice.people.practices import find_practice, list_all_practices
    from practice.security.work import Actor
    from warehouse.lake import write_lake as write

    if len(places) != (1 if all_practices else 2):
        raise typer.BadParameter("Give PRACTICE and FOLDER, or --all and FOLDER.")
    folder = Path(places[-1]).absolute()
    with connect_installation() as installation:
        with installation.store.begin_system_session() as db:
            found = list_all_practices(db) if all_practices else [find_practice(db, places[0])]
            practices = {practice.slug: practice.id for practice in found}
        if not practices:
            raise typer.BadParameter("There are no practices yet.")
        with show_progress("Reading the marts") as report:
            files = write(installation.store, practices, folder, report)
        for tenant_id in practices.values():
            with installation.work(Actor(tenant_id), now()) as work:
                work.record("lake.written")
        installation.anchor_audit(now())

    def print_text() -> None:
        table = Table("File", "Rows")
        for file in files:
            table.add_row(escape(file.file), f"{file.rows:,}")
        out.print(table)
        out.print(f"Wrote the lake to {folder}. Open caseload.duckdb in that folder.", markup=False)

    print_result({"folder": str(folder), "files": [file._asdict() for file in files]}, as_json, print_text)


def open_prompt(
    practice: Annotated[
        str | None, typer.Argument(metavar="[PRACTICE]", help="Needed if there are several practices.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Read one statement from standard input, and print its rows as JSON.")
    ] = False,
) -> None:
    """Read the marts of a practice with SQL. A statement ends with a semicolon at the end of a line.

    Example: echo "select count(*) from appointments" | caseload sql oak-street
    """
    from practice.analytics.marts import list_marts, run_statement

    with connect_installation() as installation:
        chosen = choose_practice(installation, practice)
        store, tenant_id = installation.store, chosen.id
        if as_json:
            result = run_statement(store, tenant_id, sys.stdin.read().strip().removesuffix(";"))
            rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
            sys.stdout.write(json.dumps(rows, indent=2, default=to_json) + "\n")
            return
        interactive = sys.stdin.isatty()
        if interactive:
            table = Table("Mart", "Contents")
            for mart in list_marts(store):
                table.add_row(mart.name, escape(mart.description))
            out.print(table)
        for statement in read_statements(f"{chosen.slug}> " if interactive else None):
            try:
                print_rows(run_statement(store, tenant_id, statement))
            except Exception as error:
                if not interactive:
                    raise
                print_error(describe_error(error))


def choose_practice(installation: "Installation", name: str | None) -> "Practice":
    """Return the practice with this name, or the only one there is."""
    from practice.people.practices import PracticeNotFound, find_practice, list_all_practices

    with installation.store.begin_system_session() as db:
        if name is not None:
            return find_practice(db, name)
        practices = list_all_practices(db)
    if len(practices) != 1:
        slugs = ", ".join(practice.slug for practice in practices[:10]) or "none yet"
        raise PracticeNotFound(f"Which practice? Add one of these: {slugs}.")
    return practices[0]


def read_statements(prompt: str | None) -> Iterator[str]:
    """Yield the statements of standard input; with a prompt, as somebody types them."""
    lines: list[str] = []
    for line in read_lines(prompt):
        lines.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(lines).rstrip().removesuffix(";")
            lines.clear()
    if "".join(lines).strip():
        yield "\n".join(lines)


def read_lines(prompt: str | None) -> Iterator[str]:
    if prompt is None:
        yield from sys.stdin
        return
    import readline  # noqa: F401 - edits lines and remembers them

    while True:
        try:
            yield input(prompt)
        except EOFError:
            return


def print_rows(result: "Result") -> None:
    if not result.columns:
        return
    table = Table(*map(escape, result.columns))
    for row in result.rows[:MAX_ROWS]:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    out.print(table)
    if len(result.rows) > MAX_ROWS:
        out.print(f"... and {len(result.rows) - MAX_ROWS:,} more rows. Add a limit, or use --json.")


def to_json(value: object) -> object:
    """Return a number for an exact number, and text for all else that JSON lacks."""
    from decimal import Decimal

    return float(value) if isinstance(value, Decimal) else str(value)
