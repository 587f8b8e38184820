"""Two practices with a row in every table there is, and what each role was given there: the isolation matrix's ground.

A migration that makes a table adds its entry here. Without one the matrix fails.
"""

from typing import Any
from uuid import UUID

from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import make_practice, sign_in
from tests.support.builders.table_fixtures import KINDS, SCHEDULE, Entry
from tests.support.harness import cluster

TABLES = {
    "staff": Entry("select, insert, update"),
    "trainings": Entry(
        "select, insert, update",
        row="""insert into trainings (tenant_id, id, staff_id, kind, completed_on, recorded_at)
        values (%(tenant_id)s, uuidv7(), %(staff_id)s, 'HIPAA', '2026-01-05', now())""",
    ),
    "rule_settings": Entry(
        "select, insert",
        row="""insert into rule_settings (tenant_id, id, key, value, effective_on, set_at)
        values (%(tenant_id)s, uuidv7(), 'hipaa_training_days', '400', '2026-01-01', now())""",
    ),
    **SCHEDULE,
    "audit_log": Entry("select, insert", warehouse=False),
    "audit_heads": Entry("select", warehouse=False),
    "data_keys": Entry("select, insert, update", warehouse=False),
    "stored_answers": Entry(
        "select, insert, update, delete",
        warehouse=False,
        row="""insert into stored_answers (tenant_id, id, request_hash, created_at)
        values (%(tenant_id)s, uuidv7(), 'hash', now())""",
    ),
}

WAREHOUSE_READS_SYSTEM_TABLES = {"practices"}

ROWS_OF_SYSTEM_TABLES = (
    "insert into recovery_codes (account_id, code_hash) values (%(account_id)s, 'hash')",
    "insert into sign_in_attempts (key, failures, last_at) values (%(key)s::text::bytea, 1, now())",
    "insert into rate_counters (key, minute, requests) values (%(key)s, now(), 1)",
)
"""For those that neither founding a practice nor signing in fills."""


def fill(installation: Installation, database: str) -> tuple[UUID, UUID]:
    """Found two practices, sign somebody in to each, and put rows wherever there are none yet."""
    made = []
    for _ in range(2):
        practice = make_practice(installation)
        practice.add("clinician", supervisor=practice.admin)
        sign_in(installation, practice.admin.account_id, practice.id)
        ids: dict[str, Any] = {
            "tenant_id": practice.id,
            "account_id": practice.admin.account_id,
            "staff_id": practice.admin.staff_id,
            "key": practice.id.hex,
            **{f"{kind}_id": new_id() for kind in KINDS},
        }
        with cluster.superuser(database) as connection:
            connection.execute("select set_config('app.tenant_id', %s, false)", [str(practice.id)])  # for triggers
            for statement in (*(entry.row for entry in TABLES.values() if entry.row), *ROWS_OF_SYSTEM_TABLES):
                connection.execute(statement, ids)
        made.append(practice.id)
    return made[0], made[1]
