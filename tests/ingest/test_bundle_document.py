"""The documentation of the bundle lists its columns."""

from pathlib import Path

import pytest

from ingest.bundle.format import TABLES, Column, Table

PAGE = (Path(__file__).parents[2] / "docs" / "bundle.md").read_text()


def describe(column: Column) -> str:
    name = f"`{column.name}`" + ("\\*" if column.required else "")
    details = []
    if column.references:
        details.append(f"of {column.references}")
    elif column.choices:
        details.append(", ".join(column.choices))
    elif column.kind in ("instant", "date", "time", "money", "integer", "boolean"):
        details.append({"money": "amount", "integer": "number"}.get(column.kind, column.kind))
    elif column.kind == "hundredths":
        details.append("two decimals")
    if column.kind == "list":
        details.append("list")
    return f"{name} ({'; '.join(details)})" if details else name


def format_row(table: Table) -> str:
    return f"| {table.file} | {', '.join(describe(column) for column in table.columns)} |"


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_documentation_lists_all_columns(table: Table) -> None:
    assert format_row(table) in PAGE.splitlines()
