"""Remittances: `caseload era`."""

from pathlib import Path
from typing import Annotated

import typer

from caseload.console import AsJson, progress

era_app = typer.Typer(no_args_is_help=True, help="Remittance files (835) of the payers.")


@era_app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="835 files, also as .gz or .zip.")],
    as_json: AsJson = False,
) -> None:
    """What remittance files say, whether they balance, and what is wrong with them. Needs no database, changes nothing.

    Example: caseload era parse remittance.835 --json
    """
    import edi  # it takes its time to load
    from caseload import era_output

    opened = [one for path in files for one in edi.files_in(path)]  # before a word is said: all can be opened
    show = era_output.write_json if as_json else era_output.write_tables
    with progress("Reading") as say:
        refused = show(opened, say)
    if refused:
        raise typer.Exit(1)
