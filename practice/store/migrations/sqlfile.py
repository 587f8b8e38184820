"""Runs the SQL file that stands beside a migration. Such a file is never edited after it has landed."""

from pathlib import Path

from alembic import op


def run_sql_file(name: str) -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - a migration always has a live connection
    driver.execute(Path(__file__).with_name("sql").joinpath(name).read_text())
