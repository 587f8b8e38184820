"""The reference of all error codes, docs/errors.md, generated from the error classes and their docstrings.

    python -m tests.support.harness.error_reference > docs/errors.md

The first sentence of a class docstring is the meaning; the paragraph that begins with `Fix: ` says what to do.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import NamedTuple

from api.errors import CODES, MESSAGES
from practice.errors import CaseloadError

PACKAGES = ("api", "caseload", "edi", "ingest", "practice")
HEADER = """# Errors

Every error has the same envelope: a stable `code`, a `message` for the user, and `details`. `make errors`
generates this table.

| code | status | meaning | what to do |
|---|---|---|---|
"""


class ErrorEntry(NamedTuple):
    """A row of the reference."""

    code: str
    status: int
    meaning: str
    fix: str


def list_entries() -> list[ErrorEntry]:
    """Return the errors of all packages, and those of the HTTP layer that have no class, by code."""
    entries = {read_entry(error) for error in find_errors() if "code" in vars(error)}
    codes = {entry.code for entry in entries}
    for status, message in MESSAGES.items():
        if CODES[status] not in codes:
            meaning, fix = message.removesuffix(".").split(". ", 1)
            entries.add(ErrorEntry(CODES[status], status, f"{meaning}.", f"{fix}."))
    return sorted(entries)


def find_errors() -> Iterator[type[CaseloadError]]:
    """Import every module and yield all subclasses of CaseloadError."""
    for name in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if ".migrations." not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    classes = CaseloadError.__subclasses__()
    while classes:
        error = classes.pop()
        classes += error.__subclasses__()
        if error.__module__.split(".")[0] in PACKAGES:
            yield error


def read_entry(error: type[CaseloadError]) -> ErrorEntry:
    """Return the row of an error class, or raise ValueError when its docstring says too little."""
    meaning, *paragraphs = (" ".join(part.split()) for part in (inspect.getdoc(error) or "").split("\n\n"))
    fixes = [part.removeprefix("Fix: ") for part in paragraphs if part.startswith("Fix: ")]
    if error.__doc__ is None or not meaning or len(fixes) != 1:
        raise ValueError(f"{error.__module__}.{error.__qualname__} needs a docstring with a meaning and one `Fix: `.")
    return ErrorEntry(error.code, error.status, meaning, fixes[0][0].upper() + fixes[0][1:])


def render() -> str:
    """Return the text of docs/errors.md."""
    rows = (f"| `{entry.code}` | {entry.status} | {entry.meaning} | {entry.fix} |\n" for entry in list_entries())
    return HEADER + "".join(rows)


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201 - the output is the file
