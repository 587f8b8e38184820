"""Commands for remittances: `caseload era`."""

from pathlib import Path
from typing import Annotated

import typer

from caseload.console import AsJson, show_progress

era_app = typer.Typer(no_args_is_help=True, help="Remittance files (835) of payers.")


@era_app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="835 files; .gz and .zip are opened.")],
    as_json: AsJson = False,
) -> None:
    """Show the content and problems of remittance files.

    Also what does not balance. Needs no database and changes nothing.

    Example: caseload era parse remittance.835 --json
    """
    import edi  # slow to import
    from caseload import era_output

    sources = [source for path in files for source in edi.open_files(path)]  # fails before anything is printed
    write = era_output.write_json if as_json else era_output.write_tables
    with show_progress("Reading") as report:
        refused = write(sources, report)
    if refused:
        raise typer.Exit(1)
