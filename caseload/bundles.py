"""Moving in and out: `caseload import` and `caseload export`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from caseload.console import AsJson, PracticeName, connected_installation, err, inside, now, out, progress, report
from practice.errors import Refusal

MovedIn = dict[str, Any]


def import_practice(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of CSV files, or a .zip of one.")],
    allow_overlaps: Annotated[
        bool, typer.Option("--allow-overlaps", help="Take appointments of the past that overlap, and mark them.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set the practice of this name aside, if nobody has worked in it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A practice from a bundle of CSV files, all of it or nothing; prints a one-time link for each admin.

    Example: caseload import oak-street/
    """
    from ingest.bundle.load import import_bundle  # what reads the files takes its time to load
    from ingest.bundle.problems import BundleRefused, Problem

    with connected_installation() as installation:
        try:
            with progress("Reading") as say:
                done = import_bundle(installation, folder, now(), say, allow_overlaps=allow_overlaps, replace=replace)
        except BundleRefused as refusal:
            refuse(refusal, refusal.problems, refusal.total, as_json)
        except Refusal as refusal:
            refuse(refusal, [Problem("practice.csv", 2, "name", refusal.message)], 1, as_json)
        installation.anchor_audit(now())
    links = [
        {"email": email, "link": f"{installation.settings.public_url}/invitation#{secret}"}
        for email, secret in done.invitations
    ]
    document = {
        "practice": done.practice.slug,
        "id": done.practice.id,
        "rows": done.rows,
        "errors": [],
        "admins": links,
    }

    def show() -> None:
        show_rows(done.rows)
        out.print(f"{done.practice.name} is there, as [bold]{done.practice.slug}[/].", end=" ")
        out.print("Its admins come in once, within seven days, by" if links else "Nobody in it is an admin.")
        for link in links:
            out.print(f"{link['email']}  {link['link']}", markup=False)

    report(document, as_json, show)


def refuse(refusal: Refusal, problems: list[Any], total: int, as_json: bool) -> None:
    document = {"practice": None, "rows": {}, "errors": [p._asdict() for p in problems], "error_count": total}

    def show() -> None:
        table = Table("File", "Line", "Column", "What is wrong")
        for problem in problems:
            table.add_row(*("" if value is None else str(value) for value in problem))
        err.print(table, markup=False)
        if total > len(problems):
            err.print(f"... and {total - len(problems):,} more.")
        err.print("[bold red]Error:[/] ", end="")
        err.print(refusal.message, markup=False)

    report(document, as_json, show)
    raise typer.Exit(1)


def export_practice(
    practice: PracticeName,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is not there yet, or empty.")],
    as_json: AsJson = False,
) -> None:
    """A practice as a bundle of CSV files, to be kept as carefully as the practice itself: nothing in it is sealed.

    Example: caseload export oak-street oak-street-2026-03-18/
    """
    from ingest.bundle.export import export_practice as export

    with connected_installation() as installation:
        who = inside(installation, practice)
        with progress("Reading") as say:
            rows = export(installation, who.tenant_id, folder.absolute(), now(), say)
        installation.anchor_audit(now())
    document = {"practice": practice, "folder": str(folder), "rows": rows}

    def show() -> None:
        show_rows(rows)
        out.print(f"The practice is in {folder}. Names and notes stand in it as plain text.", markup=False)

    report(document, as_json, show)


def show_rows(rows: dict[str, int]) -> None:
    table = Table("File", "Rows")
    for file, number in rows.items():
        table.add_row(file, f"{number:,}")
    out.print(table)
