"""The examination of an installation: each fault is found and named, failed examinations included."""

import shutil
import threading
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from api.app import run_maintenance
from practice.people.staff import deactivate_staff
from practice.security.accounts import ensure_account, invite_platform_admin
from practice.security.doctor import Finding, examine
from practice.security.email_outbox import Email
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.store.store import Store
from tests.support.builders.people import NOW, PracticeFixture, make_practice, sign_in
from tests.support.builders.schedule import make_portal_client
from tests.support.harness import cluster

Usage = namedtuple("Usage", "total used free")


def find_failures(installation: Installation) -> list[Finding]:
    return [finding for finding in examine(installation, NOW) if not finding.ok]


def find_only_failure(installation: Installation, area: str) -> Finding:
    (finding,) = find_failures(installation)
    assert finding.area == area
    assert finding.message.endswith((".", ")."))
    return finding


@pytest.fixture
def practice(own_installation: Installation) -> PracticeFixture:
    practice = make_practice(own_installation, "Elm Street")
    practice.add("clinician")
    return practice


def execute_as_superuser(installation: Installation, statement: str) -> None:
    with cluster.connect_as_superuser(installation.store.database) as connection:
        connection.execute(statement)  # ty: ignore[no-matching-overload]


def test_an_unprotected_table_is_named(practice: PracticeFixture) -> None:
    execute_as_superuser(practice.installation, "alter table staff disable row level security")
    assert (
        "Table staff: row-level security is off."
        in find_only_failure(practice.installation, "row-level security").message
    )


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "alter table pay_lines disable trigger only_grows",
            "The trigger only_grows of pay_lines is disabled or was altered.",
        ),
        ("alter table session_locks disable trigger all", "The trigger only_grows of session_locks is disabled"),
        (
            "alter table occupancies drop constraint never_twice",
            "The constraint never_twice of occupancies is missing.",
        ),
        ("drop index uq_pay_lines_paid_once", "The index uq_pay_lines_paid_once of pay_lines is missing."),
        (
            "alter table staff drop constraint ck_staff_roles;"
            " alter table staff add constraint ck_staff_roles check (true) not valid",
            "The constraint ck_staff_roles of staff is disabled or was altered.",
        ),
        (
            "create or replace function refuse_change() returns trigger language plpgsql as 'begin return null; end'",
            "The function refuse_change() is disabled or was altered.",
        ),
        (
            "create trigger lose before insert on notes for each row execute function refuse_change()",
            "The trigger lose of notes was not created by Caseload.",
        ),
    ],
)
def test_weakened_guards_of_the_schema_are_named(practice: PracticeFixture, statement: str, problem: str) -> None:
    execute_as_superuser(practice.installation, statement)
    findings = find_failures(practice.installation)
    assert {finding.area for finding in findings} == {"schema"}
    assert any(finding.message.startswith(problem) for finding in findings)


def test_foreign_keys_without_their_triggers_are_named(practice: PracticeFixture) -> None:
    with cluster.connect_as_superuser(practice.installation.store.database) as connection:
        (trigger,) = connection.execute(
            "select t.tgname from pg_trigger as t join pg_constraint as k on k.oid = t.tgconstraint"
            " where k.conname = 'fk_pay_lines_tenant_id_period_id' and t.tgrelid = 'pay_lines'::regclass limit 1"
        ).fetchone()
        connection.execute(f'alter table pay_lines disable trigger "{trigger}"')
    message = find_only_failure(practice.installation, "schema").message
    assert message.startswith("The constraint fk_pay_lines_tenant_id_period_id of pay_lines is disabled")


def test_a_role_without_triggers_is_named(practice: PracticeFixture) -> None:
    database = practice.installation.store.database
    execute_as_superuser(practice.installation, f"alter database {database} set session_replication_role = replica")
    practice.installation.store.engine.dispose()
    assert "session_replication_role" in find_only_failure(practice.installation, "schema").message


def test_a_schema_of_another_version_is_reported_and_ends_the_examination(practice: PracticeFixture) -> None:
    execute_as_superuser(practice.installation, "update alembic_version set version_num = '0000'")
    finding = find_only_failure(practice.installation, "schema")
    assert "newer version of Caseload" in finding.message


def test_a_database_that_does_not_answer_is_a_finding(practice: PracticeFixture) -> None:
    installation = practice.installation
    nowhere = Store(installation.settings.data_dir, "postgresql://caseload_app:x@127.0.0.1:1/nowhere")
    finding = find_only_failure(Installation(installation.settings, nowhere), "database")
    assert "Cannot connect to the database" in finding.message


def test_an_account_without_a_practice_is_named(practice: PracticeFixture) -> None:
    with practice.installation.store.begin_system_session() as db:
        account = ensure_account(db, "nobody@example.com", NOW)
    assert find_only_failure(practice.installation, "accounts").facts == {"accounts": [str(account.id)]}


def test_an_invited_account_is_named_once_its_invitation_has_expired(practice: PracticeFixture) -> None:
    with practice.installation.work(Actor(), NOW) as work:
        invite_platform_admin(work, "ops@example.com")
    assert find_failures(practice.installation) == []
    later = [finding for finding in examine(practice.installation, NOW + timedelta(days=8)) if not finding.ok]
    assert [finding.message.split(",")[0] for finding in later] == ["1 account never belonged to a practice"]


def test_memberships_without_staff_and_staff_without_memberships_are_named(practice: PracticeFixture) -> None:
    installation, clinician = practice.installation, practice.people["clinician"]
    other = make_practice(installation, "Oak Street")
    with installation.store.begin_system_session() as db:
        parameters = {"account": clinician.account_id, "here": practice.id, "there": other.id}
        db.execute(text("update memberships set tenant_id = :there where account_id = :account"), parameters)
    facts = {finding.message.split(":")[0]: finding.facts for finding in find_failures(installation)}
    assert facts == {
        "Practice Elm Street (elm-street)": {"staff": [str(clinician.staff_id)]},
        "Practice Oak Street (oak-street)": {"accounts": [str(clinician.account_id)]},
    }


def test_a_portal_client_is_not_a_finding(practice: PracticeFixture) -> None:
    sign_in(practice.installation, make_portal_client(practice).account_id, practice.id)
    assert find_failures(practice.installation) == []


def test_former_staff_are_not_a_finding(practice: PracticeFixture) -> None:
    sign_in(practice.installation, practice.people["clinician"].account_id, practice.id)
    with practice.work() as work:
        deactivate_staff(work, practice.people["clinician"].staff_id, NOW.date())
    assert find_failures(practice.installation) == []


def test_a_session_without_access_is_named_until_it_times_out(practice: PracticeFixture) -> None:
    installation, clinician = practice.installation, practice.people["clinician"]
    session = sign_in(installation, clinician.account_id, practice.id).session_id
    (accounts,) = [finding for finding in examine(installation, NOW) if finding.area == "accounts"]
    assert accounts.facts == {"live": 1, "timed_out": 0}
    with installation.store.begin_system_session() as db:
        db.execute(
            text("update accounts set disabled_at = :now where id = :id"), {"now": NOW, "id": clinician.account_id}
        )
    assert find_only_failure(installation, "accounts").facts == {"sessions": [str(session)]}
    (accounts,) = [finding for finding in examine(installation, NOW + timedelta(days=1)) if finding.area == "accounts"]
    assert accounts.facts == {"live": 0, "timed_out": 1}


def test_waiting_emails_are_counted(practice: PracticeFixture) -> None:
    practice.installation.email_outbox.write(Email("a@example.com", "Hello", "You"), NOW)
    (outbox,) = [finding for finding in examine(practice.installation, NOW) if finding.area == "outbox"]
    assert outbox.ok
    assert outbox.facts == {"waiting": 1}


@pytest.mark.parametrize(
    ("total", "free", "ok"),
    [
        (100 << 30, 6 << 30, True),
        (100 << 30, 4 << 30, False),
        (10 << 30, (1 << 30) - 1, False),
        (10 << 30, 1 << 30, True),
    ],
)
def test_low_disk_space_is_reported(
    practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch, total: int, free: int, ok: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total, total - free, free))
    (disk,) = [finding for finding in examine(practice.installation, NOW) if finding.area == "disk"]
    assert disk.ok is ok
    assert disk.facts == {"free_bytes": free, "total_bytes": total}


def test_a_failed_examination_is_a_finding_that_quotes_nothing(practice: PracticeFixture, tmp_path: Path) -> None:
    practice.installation.anchors.folder.mkdir(exist_ok=True)
    (practice.installation.anchors.folder / f"{practice.id}.jsonl").mkdir()
    finding = find_only_failure(practice.installation, "audit log")
    assert "The examination failed (IsADirectoryError)" in finding.message
    assert str(tmp_path) not in finding.message


def test_the_service_anchors_a_last_time_when_it_stops(practice: PracticeFixture) -> None:
    stop = threading.Event()
    stop.set()
    run_maintenance(practice.installation, lambda: NOW, stop)
    assert set(practice.installation.anchors.list_tenants()) == set(practice.installation.list_tenants())
