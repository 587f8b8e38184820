"""Shared parts of the commands. Results go to standard output, progress and errors to standard error."""

import json
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from practice.errors import CaseloadError

if TYPE_CHECKING:  # slow to import: a command imports what it needs when it runs
    from practice.security.installation import Installation
    from practice.security.work import Actor
    from practice.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]
PracticeName = Annotated[str, typer.Argument(metavar="PRACTICE", help="Name, slug or id of the practice.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Email address of the account.")]


@dataclass
class Options:
    """The options of the root command."""

    data_dir: Path | None = None
    debug: bool = False


options = Options()


def now() -> datetime:
    return datetime.now(UTC)


def read_settings() -> "Settings":
    from practice.settings import Settings

    return Settings() if options.data_dir is None else Settings(data_dir=options.data_dir.absolute())


@contextmanager
def connect_installation(*, prepared: bool = True) -> Generator["Installation"]:
    """Yield the installation; if `prepared`, with its database started, migrated and checked."""
    from practice.security.installation import open_installation
    from practice.store.base import load_tables

    load_tables()  # a command imports few of the models that its own refer to
    installation = open_installation(read_settings(), pool_size=2)
    try:
        if prepared:
            with show_progress("Opening the database") as report:
                if installation.store.embedded:
                    installation.store.prepare(report)
                installation.store.check()
        yield installation
    finally:
        installation.store.close()


def find_practice_actor(installation: "Installation", name: str) -> "Actor":
    """Return the system actor of the practice with this name, slug or id."""
    from practice.people.practices import find_practice
    from practice.security.work import Actor

    with installation.store.begin_system_session() as db:
        return Actor(find_practice(db, name).id)


@contextmanager
def show_progress(message: str) -> Generator[Callable[[str], None]]:
    """Show a status message, and yield the function that replaces it."""
    with err.status(f"{message} ...") as status:
        yield lambda message: status.update(f"{message} ...")


@contextmanager
def show_bar(message: str) -> Generator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Show a bar with a message, and yield the functions that replace the message and move the bar."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description} ..."), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(message, total=None)
        yield (
            lambda message: progress.update(task, description=message, refresh=True),
            lambda done, total: progress.update(task, completed=done, total=total),
        )


def print_result(document: Any, as_json: bool, print_text: Callable[[], None]) -> None:
    """Print the document as JSON, or its text form for people."""
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
    else:
        print_text()


def run_command(app: typer.Typer, arguments: list[str]) -> int:
    """Run a command, print every error as a sentence, and return the exit code: 1 for refusals, 2 for wrong usage."""
    try:
        app(arguments, prog_name="caseload")
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 1
    except KeyboardInterrupt:
        return print_error("Stopped.")
    except Exception as error:
        return print_error(describe_error(error))
    return 0


def describe_error(error: Exception) -> str:
    """Return what is wrong, and what to do."""
    if isinstance(error, CaseloadError):
        return error.message
    if isinstance(error, FileNotFoundError):
        return f"File not found: {error.filename}. Check the path."
    if isinstance(error, OSError):
        return f"Cannot use {error.filename or 'a file'} ({error.strerror}). Check the disk and its permissions."
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, ValidationError):
        invalid = ", ".join(
            f"CASELOAD_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()
        )
        return f"Invalid settings in the environment ({invalid}). Correct them and try again."
    if isinstance(error, SQLAlchemyError):
        return f"The database reported an error ({type(error).__name__}). Run `caseload doctor`."
    return f"Unexpected error ({type(error).__name__}). Run the command again with --debug to see the traceback."


def print_error(message: str) -> int:
    """Print the message, with the traceback if `--debug` is set, and return the exit code 1."""
    if options.debug:
        err.print(traceback.format_exc(), markup=False)
    err.print("[bold red]Error:[/] ", end="")
    err.print(message, markup=False)
    return 1
