"""How the command line speaks: results on standard output, progress and errors on standard error."""

import json
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from practice.errors import CaseloadError
from practice.people.models.practices import Practice
from practice.people.practices import find_practice
from practice.security.installation import Installation, open_installation
from practice.security.work import Actor
from practice.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
PracticeName = Annotated[str, typer.Argument(metavar="PRACTICE", help="Its name, slug or id.")]


@dataclass
class Options:
    data_dir: Path | None = None
    debug: bool = False


options = Options()


def now() -> datetime:
    return datetime.now(UTC)


def read_settings() -> Settings:
    return Settings() if options.data_dir is None else Settings(data_dir=options.data_dir.absolute())


@contextmanager
def connected_installation(*, prepared: bool = True) -> Generator[Installation]:
    """This installation, its database started and up to date."""
    installation = open_installation(read_settings(), pool_size=2)
    try:
        if prepared:
            with progress("Opening the database") as say:
                if installation.store.embedded:
                    installation.store.prepare(say)
                installation.store.check()
        yield installation
    finally:
        installation.store.close()


def inside(installation: Installation, name: str) -> Actor:
    """The installation itself, acting in the practice that was named."""
    with installation.store.system_session() as db:
        found: Practice = find_practice(db, name)
    return Actor(found.id)


@contextmanager
def progress(first: str) -> Generator[Callable[[str], None]]:
    with err.status(f"{first} ...") as status:
        yield lambda words: status.update(f"{words} ...")


def report(document: Any, as_json: bool, show: Callable[[], None]) -> None:
    """One JSON document and nothing else, or the same for people."""
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
    else:
        show()


def run_command(app: typer.Typer, arguments: list[str]) -> int:
    """Run a command. Whatever goes wrong is a sentence; 1 is a refusal, 2 wrong usage."""
    try:
        app(arguments, prog_name="caseload")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except CaseloadError as problem:
        return failed(problem.message)
    except ValidationError as problem:
        wrong = ", ".join(
            f"CASELOAD_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in problem.errors()
        )
        return failed(f"The environment holds settings that cannot be used ({wrong}). Correct them and run it again.")
    except SQLAlchemyError as problem:
        return failed(f"The database did not do what was asked ({type(problem).__name__}). Run `caseload doctor`.")
    except FileNotFoundError as problem:
        return failed(f"There is no file {problem.filename}. Is that how it is called?")
    except OSError as problem:
        return failed(
            f"{problem.filename or 'A file'} cannot be used ({problem.strerror}). Check the disk and its permissions."
        )
    except KeyboardInterrupt:
        return failed("Stopped.")
    except Exception as problem:
        return failed(
            f"Something unforeseen went wrong ({type(problem).__name__}). Run it again with --debug to see where."
        )
    return 0


def failed(sentence: str) -> int:
    if options.debug:
        err.print(traceback.format_exc(), markup=False)
    err.print("[bold red]Error:[/] ", end="")
    err.print(sentence, markup=False)
    return 1
