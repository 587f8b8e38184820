"""The page about the bundle lists the columns that there are."""

from pathlib import Path

import pytest

from ingest.bundle.format import TABLES, Column, Table

PAGE = (Path(__file__).parents[2] / "docs" / "bundle.md").read_text()


def told(column: Column) -> str:
    name = f"`{column.name}`" + ("\\*" if column.required else "")
    about = []
    if column.references:
        about.append(f"of {column.references}")
    elif column.words:
        about.append(", ".join(column.words))
    elif column.kind in ("instant", "date", "time", "money", "integer", "boolean"):
        about.append({"money": "amount", "integer": "number", "boolean": "truth"}.get(column.kind, column.kind))
    elif column.kind == "hundredths":
        about.append("two decimals")
    if column.kind == "list":
        about.append("list")
    return f"{name} ({'; '.join(about)})" if about else name


def row_of(table: Table) -> str:
    return f"| {table.file} | {', '.join(told(column) for column in table.columns)} |"


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_page_about_the_bundle_lists_the_columns_that_there_are(table: Table) -> None:
    assert row_of(table) in PAGE.splitlines()
