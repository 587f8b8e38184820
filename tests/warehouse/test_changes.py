"""The change queue: every change of a copied record reaches the practice's file, however it is made."""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
from sqlalchemy import text

from practice.people.client_history import change_status
from practice.people.models.practices import Practice
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.builders.sessions import SessionBuilder
from tests.support.builders.two_practices import create_two_practices
from tests.support.drivers.random_changes import QUEUED, disable_other_triggers, insert_copy
from tests.support.harness import cluster
from tests.warehouse.conftest import be_quiet
from warehouse.builds import open_file
from warehouse.extraction import COLUMNS, copy_records, open_snapshot
from warehouse.files import FILE
from warehouse.refresh import refresh_practice

UPDATES = {
    "time_zone_changes": "old_zone = 'America/Chicago'",
    "record_versions": "known_at = now()",
    "staff": "external_id = 'S' || id",
    "clients": "birth_date = birth_date + 1",
    "client_statuses": "effective_on = effective_on + 1",
    "primary_clinicians": "effective_on = effective_on + 1",
    "coverages": "external_id = 'V' || id",
    "appointments": "telehealth = not telehealth",
    "notes": "voided_at = now()",
    "charges": "amount_cents = amount_cents + 1",
    "payment_applications": "amount_cents = amount_cents + 1",
    "adjustments": "amount_cents = amount_cents + 1",
    "sign_ins": "at = at + interval '1 hour'",
    "rule_settings": "value = '401'",
    "treatment_plan_reviews": "reviewed_on = reviewed_on + 1",
    "claims": "outcome = 'DENIED', adjudicated_at = now()",
    "claim_charges": "position = position + 10",
    "incidents": "responded_at = now()",
}
TRIGGERS = """
    select g.tgname, p.proname from pg_trigger as g join pg_proc as p on p.oid = g.tgfoid
    where g.tgrelid = %s::regclass and g.tgname like 'queue%%' and g.tgenabled = 'O' order by 1
"""


def read_records(connection: duckdb.DuckDBPyConnection) -> dict[str, Counter[str]]:
    """Return the rows of each copied table."""
    return {
        table: Counter(map(repr, connection.execute(f"select * from records.{table}").fetchall())) for table in COLUMNS
    }


def refresh_and_compare(installation: Installation, tenant_id: UUID, root: Path, now: datetime) -> list[str]:
    """Refresh, and return what it copied. The file must have what a full copy has, row for row."""
    messages: list[str] = []
    refresh_practice(installation.store, root, tenant_id, now, "duckdb", messages.append)
    with duckdb.connect() as copy, open_snapshot(installation.store, tenant_id) as snapshot:
        copy.execute("set TimeZone = 'UTC'")
        copy_records(snapshot, copy, be_quiet)
        expected = read_records(copy)
    with open_file(root / tenant_id.hex / FILE, read_only=True) as connection:
        actual = read_records(connection)
    assert {table: rows for table, rows in actual.items() if rows != expected[table]} == {}
    return [message for message in messages if message.startswith("Copying")]


def count_queued(installation: Installation, tenant_id: UUID) -> int:
    with installation.store.begin_session(tenant_id) as db:
        return db.scalar(text("select count(*) from analytics.changes"))


def test_every_copied_table_queues_each_kind_of_change(installation: Installation) -> None:
    with cluster.connect_as_superuser(installation.store.database) as connection:
        for table in QUEUED:
            function = "queue_claims" if table == "claim_charges" else "queue_changes"
            assert connection.execute(TRIGGERS, [table]).fetchall() == [
                ("queue_delete", function),
                ("queue_insert", function),
                ("queue_truncate", "queue_changes"),
                ("queue_update", function),
            ], table


def test_every_change_by_sql_reaches_the_file(own_installation: Installation, tmp_path: Path) -> None:
    database = own_installation.store.database
    own, other = create_two_practices(own_installation, database)
    refresh_and_compare(own_installation, own, tmp_path, NOW)
    rng = random.Random(1)  # noqa: S311 - not for cryptography
    with cluster.connect_as_superuser(database) as connection:
        disable_other_triggers(connection)
        one = f"(select ctid from {{0}} where tenant_id = '{own}' order by random() limit 1)"
        for number in range(2):
            for table in rng.sample(QUEUED, 9) if number else QUEUED:
                statements = {
                    "insert": insert_copy(connection, table, own),
                    "update": f"update {table} set {UPDATES[table]} where ctid = {one.format(table)}",
                    "delete": f"delete from {table} where ctid = {one.format(table)}",
                }
                for operation in ("insert", rng.choice(["insert", "update"]), "update", "delete")[: rng.randint(3, 4)]:
                    assert connection.execute(statements[operation]).rowcount == 1, (table, operation)
            queued = {name for (name,) in connection.execute("select table_name from analytics.changes").fetchall()}
            assert number or queued == set(QUEUED)
            copied = refresh_and_compare(own_installation, own, tmp_path, NOW + timedelta(hours=number))
            assert {message.startswith("Copying changed ") for message in copied} == {True}, copied
            assert count_queued(own_installation, own) == 0
        before = count_queued(own_installation, other)
        connection.execute("truncate sign_ins, adjustments")
        assert count_queued(own_installation, other) == before + 2
        assert count_queued(own_installation, own) == 2
    refresh_and_compare(own_installation, own, tmp_path, NOW)


def test_every_change_by_a_service_reaches_the_file(practice: PracticeFixture, tmp_path: Path) -> None:
    sessions = SessionBuilder(practice, practice.add("clinician"))
    sessions.add_note(sessions.add_session(NOW - timedelta(days=3)))
    refresh_and_compare(practice.installation, practice.id, tmp_path, NOW)
    client_id = make_client(practice)
    steps: list[Callable[[], Any]] = [
        lambda: sessions.add_note(sessions.add_session(NOW - timedelta(days=1))),
        lambda: practice.add("supervisor"),
    ]
    for step in steps:
        step()
        assert count_queued(practice.installation, practice.id) > 0
        refresh_and_compare(practice.installation, practice.id, tmp_path, NOW)
    with practice.work() as work:
        change_status(work, Scope.ALL, client_id, "INACTIVE", NOW.date())
        change_setting(work, "kept_visit_rate_target_at_least", 90, NOW.date())
    refresh_and_compare(practice.installation, practice.id, tmp_path, NOW + timedelta(days=1))


def test_a_change_that_is_rolled_back_is_not_queued(installation: Installation, oak_street: Practice) -> None:
    assert count_queued(installation, oak_street.id) == 0, "an import is a practice without a file"
    with suppress(KeyboardInterrupt), installation.work(Actor(oak_street.id), NOW) as work:
        work.db.execute(text("update clients set ended_on = null"))
        assert work.db.scalar(text("select count(*) from analytics.changes")) > 0
        raise KeyboardInterrupt
    assert count_queued(installation, oak_street.id) == 0


def test_a_statement_with_many_rows_queues_its_table_once(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
    for count, queued in ((20_000, 20_000), (20_001, 1)):
        with installation.store.begin_session(oak_street.id) as db:
            db.execute(
                text("""
                    insert into sign_ins (tenant_id, id, staff_id, at)
                    select s.tenant_id, uuidv7(), s.id, now() from generate_series(1, :count),
                        (select tenant_id, id from staff limit 1) as s
                """),
                {"count": count},
            )
        assert count_queued(installation, oak_street.id) == queued
        refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
