"""Copies of one practice's records in a DuckDB file, from one snapshot of the database: of all, or of those changed."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from practice.store.store import ConnectionParameters, Store

COLUMNS = {
    "practices": "id, time_zone",
    "time_zone_changes": "tenant_id, id, old_zone, changed_at",
    "record_versions": (
        "tenant_id, id, record_kind, record_id, known_at, record_values::text as record_values, "
        "case when record_kind = 'clients' then record_id else (record_values ->> 'client_id')::uuid end as client_id, "
        "coalesce(record_values ->> 'signed_at', record_values ->> 'verified_at', "
        "record_values ->> 'portal_activated_at')::timestamptz as counts_at, "
        "(record_values ->> 'revoked_at')::timestamptz as ends_at"
    ),
    "staff": "tenant_id, id, external_id",
    "clients": "tenant_id, id",
    "client_statuses": "tenant_id, id, client_id, status, effective_on, set_at, set_by",
    "primary_clinicians": "tenant_id, id, client_id, clinician_id, effective_on, set_at, set_by",
    "coverages": "tenant_id, id, external_id",
    "appointments": (
        "tenant_id, id, client_id, clinician_id, group_session_id, starts_at, ends_at, status, status_at, created_at, "
        "telehealth, booked_via, arrived_at, ready_at, actual_minutes, eligibility_verified_at"
    ),
    "notes": ("tenant_id, id, client_id, appointment_id, type, created_at, signed_at, voided_at, entered_in_error_at"),
    "charges": (
        "tenant_id, id, external_id, client_id, clinician_id, appointment_id, service_date, amount_cents, "
        "created_at, voided_at"
    ),
    "payment_applications": "tenant_id, id, charge_id, amount_cents, posted_at",
    "adjustments": "tenant_id, id, charge_id, group_code, amount_cents, posted_at",
    "sign_ins": "tenant_id, id, staff_id, at",
    "rule_settings": "tenant_id, id, key, value #>> '{}' as value, effective_on, set_at",
    "treatment_plan_reviews": "tenant_id, id, client_id, reviewed_on, created_at, voided_at",
    "claims": "tenant_id, id, submitted_at, first_response_at, first_response, adjudicated_at, outcome",
    "claim_charges": "tenant_id, claim_id, charge_id, position",
    "incidents": "tenant_id, id, detected_at, responded_at, voided_at",
}
"""The columns that metrics need, by table. No names, contacts or texts."""

COPIED_WHOLE = "practices"
"""One row, so that it is copied by every refresh."""

KEYS = dict.fromkeys(COLUMNS, "id") | {"claim_charges": "claim_id"}
"""The column by which triggers queue the changed rows of a table."""

Progress = Callable[[str], None]


class Snapshot:
    """A transaction in a practice, which sees one snapshot of the database.

    Connects as the runtime role, so that row-level security holds here too.
    """

    def __init__(self, connection: adbc.Connection, cursor: adbc.Cursor, tenant_id: UUID) -> None:
        self.connection, self.cursor, self.tenant_id = connection, cursor, tenant_id

    def fetch(self, query: str) -> Any:
        """Return the rows of a query, for DuckDB to read."""
        self.cursor.execute(query)
        return self.cursor.fetch_arrow()

    def commit(self) -> None:
        self.connection.commit()


@contextmanager
def open_snapshot(store: Store, tenant_id: UUID) -> Generator[Snapshot]:
    """Yield a transaction in the practice, rolled back at the end of the block unless it is committed."""
    with adbc.connect(build_uri(store.build_connection_parameters("app"))) as connection, connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute(f"select enter_practice('{tenant_id}')")
        yield Snapshot(connection, cursor, tenant_id)


def copy_records(snapshot: Snapshot, target: duckdb.DuckDBPyConnection, progress: Progress) -> None:
    """Copy the practice's records into the schema `records` of a new file."""
    target.execute("create schema records")
    for table in COLUMNS:
        progress(f"Copying {table.replace('_', ' ')}")
        rows = snapshot.fetch(select_rows(snapshot, table))  # noqa: F841 - DuckDB reads it by its name
        target.execute(f"create table records.{table} as select * from rows")


def fetch_changes(snapshot: Snapshot, target: duckdb.DuckDBPyConnection, progress: Progress) -> dict[str, bool]:
    """Copy the changed records beside those of the refresh before: into `scratch.incoming`, and their ids into
    `scratch.changes`. Return the tables with changes, and whether they are copied whole."""
    queue = f"analytics.changes where tenant_id = '{snapshot.tenant_id}'"
    changes = snapshot.fetch(f"select distinct table_name, record_id from {queue}")  # noqa: F841 - DuckDB reads it
    target.execute("create table scratch.changes as select * from changes")
    changed = target.execute("select table_name, bool_or(record_id is null) from scratch.changes group by 1").fetchall()
    whole = dict(changed) | {COPIED_WHOLE: True}
    for table in COLUMNS:
        if table in whole:
            progress(f"Copying changed {table.replace('_', ' ')}")
            query = select_rows(snapshot, table)
            if not whole[table]:
                of_table = f"table_name = '{table}'"
                query += f" and {KEYS[table]} = any(array(select record_id from {queue} and {of_table}))"
            rows = snapshot.fetch(query)  # noqa: F841 - as above
            target.execute(f"create table scratch.incoming.{table} as select * from rows")
    return whole


def apply_changes(target: duckdb.DuckDBPyConnection, whole: Mapping[str, bool]) -> None:
    """Put the fetched records into the place of those of the refresh before."""
    for table, is_whole in whole.items():
        target.execute(f"delete from records.{table} {'' if is_whole else f'where {select_changed(table)}'}")
        target.execute(f"insert into records.{table} select * from scratch.incoming.{table}")


def select_changed(table: str) -> str:
    """Return the condition for the rows of a table that have changed."""
    return f"{KEYS[table]} in (select record_id from scratch.changes where table_name = '{table}')"


def select_rows(snapshot: Snapshot, table: str) -> str:
    key = "id" if table == "practices" else "tenant_id"
    return f"select {COLUMNS[table]} from {table} where {key} = '{snapshot.tenant_id}'"


def build_uri(parameters: ConnectionParameters) -> str:
    """Return the connection parameters as a URI, which is what the driver takes."""
    rest = {name: str(value) for name, value in parameters.items() if value is not None}
    user, password, database = rest.pop("user", ""), rest.pop("password", ""), rest.pop("dbname", "")
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@/{quote(database)}?{urlencode(rest)}"
