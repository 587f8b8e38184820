"""The statements that compute the warehouse, and its models, as compiled from the dbt project."""

import json
import re
from importlib.resources import files
from typing import Literal, NamedTuple

HEADER = re.compile(r"^-- (table|view) (\w+)\n", re.MULTILINE)


class Statement(NamedTuple):
    """The query of a model, and what becomes of it."""

    kind: Literal["table", "view"]
    name: str
    query: str


class Model(NamedTuple):
    """A model of the project: its folder, what it holds, and the models that it reads."""

    name: str
    folder: str
    description: str
    reads: list[str]


def load_models() -> list[Model]:
    """Return all models, those that others include in their statements as well, each after those that it reads."""
    text = files("warehouse").joinpath("compiled", "models.json").read_text()
    return [Model(**model) for model in json.loads(text)]


def load_statements(engine: str) -> list[Statement]:
    """Return the statements of an engine in the order in which they run."""
    text = files("warehouse").joinpath("compiled", f"{engine}.sql").read_text()
    _, *parts = HEADER.split(text)
    return [
        Statement("table" if kind == "table" else "view", name, query.strip())
        for kind, name, query in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
