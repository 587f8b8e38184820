"""The statements that compute the warehouse, as compiled from the dbt project."""

import re
from importlib.resources import files
from typing import Literal, NamedTuple

HEADER = re.compile(r"^-- (table|view) (\w+)\n", re.MULTILINE)


class Statement(NamedTuple):
    """The query of a model, and what becomes of it."""

    kind: Literal["table", "view"]
    name: str
    query: str


def load_statements(engine: str) -> list[Statement]:
    """Return the statements of an engine in the order in which they run."""
    text = files("warehouse").joinpath("compiled", f"{engine}.sql").read_text()
    _, *parts = HEADER.split(text)
    return [
        Statement("table" if kind == "table" else "view", name, query.strip())
        for kind, name, query in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
