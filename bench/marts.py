"""Benchmark of the marts as an analyst reads them, against the same selects of the service in the practice.

    python -m bench.marts [--disk]

Two practices of about 100,000 appointments share the tables. Both read all columns of all rows.
"""

import argparse
import re
import time
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench.five_years import NOW, create_five_years
from bench.installation import make_folder, open_temporary_installation
from practice.security.analysts import begin_administrator_work, create_analyst
from practice.security.installation import Installation
from practice.store.policies import THIS_PRACTICE

MARTS = ("appointments", "sessions", "clients", "staff", "calendar")
# They compute the same from the same tables for every reader, so there is no control.
COMPLIANCE = {
    "compliance_spans": "marts.compliance_spans",
    "compliance_checks of a day": "(select * from marts.compliance_checks where checked_on = date '2026-03-02')",
}
ROUNDS = 5
THIS_ID = THIS_PRACTICE.removeprefix("tenant_id = ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--disk", action="store_true", help="database on disk, not in memory")
    with make_folder(disk=parser.parse_args().disk) as folder, open_temporary_installation(folder) as installation:
        practices = [create_five_years(installation, clinicians=14, clients=5_000) for _ in range(2)]
        with installation.store.open_owner_connection() as connection:
            connection.exec_driver_sql("analyze")
            connection.commit()
        measure(installation, practices[0])


def measure(installation: Installation, practice: Any) -> None:
    with begin_administrator_work(installation, practice.admin, NOW) as work:
        login, password = create_analyst(work, "Nina")
    parameters = dict(installation.store.build_connection_parameters("app")) | {"user": login, "password": password}
    table = Table("Mart", "Rows", "Service, ms", "Mart, ms", "Ratio", title=f"{practice.appointments:,} appointments")
    with (
        psycopg.connect(**parameters, autocommit=True) as analyst,
        installation.store.connect("app") as service,
        installation.store.connect("superuser") as superuser,
    ):
        service.execute(
            "select set_config('app.tenant_id', %s, false), set_config('timezone', 'UTC', false)", [str(practice.id)]
        )
        for mart in MARTS:
            control, rows = time_select(service, f"({read_definition(superuser, mart)})")
            measured, _ = time_select(analyst, f"marts.{mart}")
            table.add_row(mart, f"{rows:,}", f"{control:.1f}", f"{measured:.1f}", f"{measured / control:.2f}")
        for mart, source in COMPLIANCE.items():
            measured, rows = time_select(analyst, source, rounds=2)
            table.add_row(mart, f"{rows:,}", "", f"{measured:.1f}", "")
    Console().print(table)


def read_definition(connection: psycopg.Connection[Any], mart: str) -> str:
    """Return the select of a mart over tables, with the practice of the transaction in place of the login's."""
    row = connection.execute("select pg_get_viewdef(%s::regclass)", [f"marts.{mart}"]).fetchone()
    definition = str(row[0] if row else "").rstrip().removesuffix(";").replace("analyst_practice()", THIS_ID)
    if "marts.time_zones" in definition:
        zones = read_definition(connection, "time_zones")
        definition = re.sub(r"marts\.time_zones( \w+)?", lambda match: f"({zones}){match[1] or ' z'}", definition)
    return definition


def time_select(connection: psycopg.Connection[Any], source: str, rounds: int = ROUNDS) -> tuple[float, int]:
    """Return the best time of reading every column, in milliseconds, and the number of rows."""
    best, rows = float("inf"), 0
    for _ in range(rounds):
        start = time.perf_counter()
        query = f"select count(*), max(length(t::text)) from {source} as t"
        row = connection.execute(query.encode()).fetchone()
        best, rows = min(best, time.perf_counter() - start), row[0] if row else 0
    return best * 1000, rows


if __name__ == "__main__":
    main()
