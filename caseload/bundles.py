"""Import and export of bundles: `caseload import` and `caseload export`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from caseload.console import (
    AsJson,
    PracticeName,
    connect_installation,
    err,
    find_practice_actor,
    now,
    out,
    print_result,
    show_bar,
)
from practice.errors import Refusal


def import_practice(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of CSV files, or a .zip of one.")],
    allow_overlaps: Annotated[
        bool, typer.Option("--allow-overlaps", help="Import past appointments that overlap, and mark them.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the practice of this name, if nobody has worked in it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a practice from a bundle of CSV files.

    All of it is imported or nothing. A one-time sign-in link for each admin is printed.

    Example: caseload import oak-street/
    """
    from ingest.bundle.load import import_bundle  # slow to import
    from ingest.bundle.problems import BundleRefused, Problem

    with connect_installation() as installation:
        try:
            with show_bar("Reading") as (report, count):
                result = import_bundle(
                    installation, folder, now(), report, allow_overlaps=allow_overlaps, replace=replace, count=count
                )
        except BundleRefused as refusal:
            exit_with_problems(refusal, refusal.problems, refusal.total, as_json)
        except Refusal as refusal:
            if not as_json:
                raise  # the message says it all
            exit_with_problems(refusal, [Problem("practice.csv", 2, "name", refusal.message)], 1, as_json)
        installation.anchor_audit(now())
    links = [
        {"email": email, "link": f"{installation.settings.public_url}/invitation#{secret}"}
        for email, secret in result.invitations
    ]
    document = {
        "practice": result.practice.slug,
        "id": result.practice.id,
        "rows": result.rows,
        "errors": [],
        "admins": links,
    }

    def print_text() -> None:
        print_rows(result.rows)
        out.print(f"Imported {result.practice.name} as {result.practice.slug}.", markup=False)
        out.print("One-time sign-in links (expire in 7 days):" if links else "The practice has no admin.")
        for link in links:
            out.print(f"{link['email']}  {link['link']}", markup=False)

    print_result(document, as_json, print_text)


def exit_with_problems(refusal: Refusal, problems: list[Any], total: int, as_json: bool) -> None:
    """Print the problems of a bundle, and exit with 1."""
    errors = [problem._asdict() for problem in problems]
    document = {"practice": None, "rows": {}, "errors": errors, "error_count": total}

    def print_text() -> None:
        table = Table("File", "Line", "Column", "Problem")
        for problem in problems:
            table.add_row(*("" if value is None else str(value) for value in problem))
        err.print(table, markup=False)
        if total > len(problems):
            err.print(f"... and {total - len(problems):,} more.")
        err.print("[bold red]Error:[/] ", end="")
        err.print(refusal.message, markup=False)

    print_result(document, as_json, print_text)
    raise typer.Exit(1)


def export_practice(
    practice: PracticeName,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder.")],
    as_json: AsJson = False,
) -> None:
    """Write a practice as a bundle of CSV files. Protect it like the practice itself: nothing in it is encrypted.

    Example: caseload export oak-street oak-street-2026-03-18/
    """
    from ingest.bundle.export import export_practice as export

    with connect_installation() as installation:
        actor = find_practice_actor(installation, practice)
        with show_bar("Counting") as (report, count):
            rows = export(installation, actor.tenant_id, folder.absolute(), now(), report, count)
        installation.anchor_audit(now())
    document = {"practice": practice, "folder": str(folder), "rows": rows}

    def print_text() -> None:
        print_rows(rows)
        out.print(f"Exported the practice to {folder}. Its names and notes are plain text.", markup=False)

    print_result(document, as_json, print_text)


def print_rows(rows: dict[str, int]) -> None:
    table = Table("File", "Rows")
    for file, count in rows.items():
        table.add_row(file, f"{count:,}")
    out.print(table)
