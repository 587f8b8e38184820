"""The examination of an installation: what is wrong is found and named, and what cannot be looked at too."""

import shutil
import threading
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from api.app import run_maintenance
from practice.people.staff import deactivate_staff
from practice.security.accounts import account_for
from practice.security.doctor import Finding, examine
from practice.security.email_outbox import Letter
from practice.security.installation import Installation
from practice.store.store import Store
from tests.support.builders.people import NOW, PracticeFixture, make_practice, sign_in
from tests.support.builders.schedule import make_portal_client
from tests.support.harness import cluster

Usage = namedtuple("Usage", "total used free")


def wrong(installation: Installation) -> list[Finding]:
    return [finding for finding in examine(installation, NOW) if not finding.ok]


def only(installation: Installation, area: str) -> Finding:
    (finding,) = wrong(installation)
    assert finding.area == area
    assert finding.sentence.endswith((".", ")."))
    return finding


@pytest.fixture
def practice(own_installation: Installation) -> PracticeFixture:
    made = make_practice(own_installation, "Elm Street")
    made.add("clinician")
    return made


def owner(installation: Installation, statement: str) -> None:
    with cluster.superuser(installation.store.database) as connection:
        connection.execute(statement)  # ty: ignore[no-matching-overload]


def test_a_table_that_was_opened_is_named(practice: PracticeFixture) -> None:
    owner(practice.installation, "alter table staff disable row level security")
    assert "Table staff: row-level security is off." in only(practice.installation, "row-level security").sentence


def test_a_schema_of_another_age_is_said_and_nothing_further_is_tried(practice: PracticeFixture) -> None:
    owner(practice.installation, "update alembic_version set version_num = '0000'")
    finding = only(practice.installation, "schema")
    assert "newer Caseload" in finding.sentence


def test_a_database_that_does_not_answer_is_a_finding(practice: PracticeFixture) -> None:
    installation = practice.installation
    nowhere = Store(installation.settings.data_dir, "postgresql://caseload_app:x@127.0.0.1:1/nowhere")
    finding = only(Installation(installation.settings, nowhere), "database")
    assert "does not answer" in finding.sentence


def test_an_account_that_belongs_nowhere_is_named(practice: PracticeFixture) -> None:
    with practice.installation.store.system_session() as db:
        account = account_for(db, "nobody@example.com", NOW)
    assert only(practice.installation, "accounts").facts == {"accounts": [str(account.id)]}


def test_a_place_without_a_staff_record_and_a_record_without_a_place_are_named(practice: PracticeFixture) -> None:
    installation, clinician = practice.installation, practice.people["clinician"]
    other = make_practice(installation, "Oak Street")
    with installation.store.system_session() as db:
        parameters = {"account": clinician.account_id, "here": practice.id, "there": other.id}
        db.execute(text("update memberships set tenant_id = :there where account_id = :account"), parameters)
    found = {finding.sentence.split(":")[0]: finding.facts for finding in wrong(installation)}
    assert found == {
        "Practice Elm Street (elm-street)": {"staff": [str(clinician.staff_id)]},
        "Practice Oak Street (oak-street)": {"accounts": [str(clinician.account_id)]},
    }


def test_a_client_who_signs_in_to_the_portal_is_no_finding(practice: PracticeFixture) -> None:
    sign_in(practice.installation, make_portal_client(practice).account_id, practice.id)
    assert wrong(practice.installation) == []


def test_somebody_who_left_is_no_finding(practice: PracticeFixture) -> None:
    sign_in(practice.installation, practice.people["clinician"].account_id, practice.id)
    with practice.work() as work:
        deactivate_staff(work, practice.people["clinician"].staff_id, NOW.date())
    assert wrong(practice.installation) == []


def test_a_session_of_somebody_who_may_no_longer_be_here_is_named_until_it_ran_out(practice: PracticeFixture) -> None:
    installation, clinician = practice.installation, practice.people["clinician"]
    session = sign_in(installation, clinician.account_id, practice.id).session_id
    (accounts,) = [finding for finding in examine(installation, NOW) if finding.area == "accounts"]
    assert accounts.facts == {"live": 1, "timed_out": 0}
    with installation.store.system_session() as db:
        db.execute(
            text("update accounts set disabled_at = :now where id = :id"), {"now": NOW, "id": clinician.account_id}
        )
    assert only(installation, "accounts").facts == {"sessions": [str(session)]}
    (accounts,) = [finding for finding in examine(installation, NOW + timedelta(days=1)) if finding.area == "accounts"]
    assert accounts.facts == {"live": 0, "timed_out": 1}


def test_letters_that_wait_are_counted(practice: PracticeFixture) -> None:
    practice.installation.letters.post(Letter("a@example.com", "Hello", "You"), NOW)
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
def test_too_little_room_is_said(
    practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch, total: int, free: int, ok: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total, total - free, free))
    (disk,) = [finding for finding in examine(practice.installation, NOW) if finding.area == "disk"]
    assert disk.ok is ok
    assert disk.facts == {"free_bytes": free, "total_bytes": total}


def test_what_cannot_be_looked_at_is_a_finding_that_quotes_nothing(practice: PracticeFixture, tmp_path: Path) -> None:
    practice.installation.anchors.folder.mkdir(exist_ok=True)
    (practice.installation.anchors.folder / f"{practice.id}.jsonl").mkdir()
    finding = only(practice.installation, "audit log")
    assert "could not be examined (IsADirectoryError)" in finding.sentence
    assert str(tmp_path) not in finding.sentence


def test_the_service_anchors_a_last_time_when_it_stops(practice: PracticeFixture) -> None:
    stop = threading.Event()
    stop.set()
    run_maintenance(practice.installation, lambda: NOW, stop)
    assert set(practice.installation.anchors.tenants()) == set(practice.installation.practices(NOW))
