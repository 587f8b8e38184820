"""The copy of one practice's records in a DuckDB file, from one snapshot of the database."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import UUID

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from practice.store.store import ConnectionParameters

COLUMNS = {
    "practices": "id, time_zone",
    "time_zone_changes": "tenant_id, old_zone, changed_at",
    "record_versions": "tenant_id, id, record_kind, record_id, known_at, record_values::text as record_values",
    "staff": "tenant_id, id, external_id",
    "clients": "tenant_id, id, birth_date, admitted_on, ended_on",
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
    "sign_ins": "tenant_id, staff_id, at",
    "rule_settings": "tenant_id, key, value #>> '{}' as value, effective_on, set_at",
    "treatment_plan_reviews": "tenant_id, id, client_id, reviewed_on, created_at, voided_at",
    "claims": "tenant_id, id, submitted_at, first_response_at, first_response, adjudicated_at, outcome",
    "claim_charges": "tenant_id, claim_id, charge_id, position",
    "incidents": "tenant_id, id, detected_at, responded_at, voided_at",
}
"""The columns that metrics need, by table. No names, contacts or texts."""


def copy_records(
    parameters: ConnectionParameters,
    tenant_id: UUID,
    as_of: datetime,
    first_on: date | None,
    file: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Copy the practice's records into the schema `records` of a DuckDB file, all from one snapshot.

    Connects as the runtime role in the practice, so that row-level security holds here too.
    """
    with (
        adbc.connect(build_uri(parameters)) as connection,
        duckdb.connect(file) as target,
        connection.cursor() as cursor,
    ):
        target.execute("set TimeZone = 'UTC'; create schema records")
        target.execute(
            "create table records.scope as "
            "select cast(? as uuid) as tenant_id, cast(? as timestamptz) as as_of, cast(? as date) as first_on",
            [tenant_id, as_of, first_on],
        )
        cursor.execute("set transaction isolation level repeatable read read only")
        cursor.execute(f"select enter_practice('{tenant_id}')")
        for table, columns in COLUMNS.items():
            progress(f"Copying {table.replace('_', ' ')}")
            key = "id" if table == "practices" else "tenant_id"
            cursor.execute(f"select {columns} from {table} where {key} = '{tenant_id}'")
            rows = cursor.fetch_arrow()  # noqa: F841 - DuckDB reads it by its name
            target.execute(f"create table records.{table} as select * from rows")


def build_uri(parameters: ConnectionParameters) -> str:
    """Return the connection parameters as a URI, which is what the driver takes."""
    rest = {name: str(value) for name, value in parameters.items() if value is not None}
    user, password, database = rest.pop("user", ""), rest.pop("password", ""), rest.pop("dbname", "")
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@/{quote(database)}?{urlencode(rest)}"
