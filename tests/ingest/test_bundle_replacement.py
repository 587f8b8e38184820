"""Importing a bundle whose practice exists: it is refused, or an unused import is set aside."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from ingest.bundle.load import ImportResult
from ingest.bundle.replacement import NotReplaceable, PracticeExists
from practice.people.practices import create_practice
from practice.people.trainings import record_training
from practice.security.doctor import examine
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.bundles import (
    NOW,
    count_all_rows,
    export_files,
    import_practice,
    load_sample_rows,
    make_unique,
    query_rows,
    write_folder,
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "bundle", make_unique(load_sample_rows()))


def test_importing_the_same_bundle_again_changes_nothing(installation: Installation, bundle: Path) -> None:
    import_practice(installation, bundle)
    before = count_all_rows(installation)
    with pytest.raises(PracticeExists, match="exists"):
        import_practice(installation, bundle)
    assert count_all_rows(installation) == before


def load_practices(installation: Installation, name: str) -> list[tuple[str, str]]:
    with installation.store.begin_system_session() as db:
        query = text("select name, status from practices where name like :name || '%' order by created_at, name")
        return [tuple(row) for row in db.execute(query, {"name": name})]


def test_an_unused_practice_is_set_aside(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    name = rows["practice"][0]["name"]
    folder = write_folder(tmp_path / "b", rows)
    first = import_practice(installation, folder)
    with installation.work(Actor(first.practice.id), NOW) as work:
        for action in ("client.read", "note.found", "note.history_read", "progress_report.printed"):
            work.record(action, "client", first.practice.id)
        work.record("session.started", "account", first.practice.id)
        work.record("deadlines.recorded", locked=1, notified=0)
        for retired in ("deadlines.kept", "document.taken_out", "mfa.enrolment_begun"):
            work.record(retired)
    export_files(installation, first.practice, tmp_path / "out")
    rows["rooms"][0]["name"] = "Room of the second"
    second = import_practice(installation, write_folder(folder, rows), replace=True)
    third = import_practice(installation, folder, replace=True)
    assert set(load_practices(installation, name)) == {
        (name, "ACTIVE"),
        (f"{name} (replaced 2026-03-18)", "SUSPENDED"),
        (f"{name} (replaced 2026-03-18) 2", "SUSPENDED"),
    }
    rooms = "select name from rooms where external_id = 'R1'"
    assert [query_rows(installation, result.practice, rooms) for result in (first, second, third)] == [
        [("Room 1",)],
        [("Room of the second",)],
        [("Room of the second",)],
    ]
    memberships = (
        "select count(*) from memberships where ended_at is null and tenant_id = (select tenant_id from rooms limit 1)"
    )
    assert [query_rows(installation, result.practice, memberships) for result in (first, second, third)] == [
        [(0,)],
        [(0,)],
        [(3,)],
    ]


def test_a_replaced_practice_sends_no_more_messages(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["clients"][0]["email"] = "kim@example.com"
    folder = write_folder(tmp_path / "b", rows)
    statuses = "select distinct status from messages order by 1"
    first = import_practice(installation, folder)
    assert query_rows(installation, first.practice, statuses) == [("PLANNED",)]
    second = import_practice(installation, folder, replace=True)
    assert query_rows(installation, first.practice, statuses) == [("CANCELLED",)]
    assert query_rows(installation, second.practice, statuses) == [("PLANNED",)]


def record_work(installation: Installation, imported: ImportResult) -> None:
    (staff_id,) = query_rows(installation, imported.practice, "select id from staff where external_id = 'CLI'")[0]
    with installation.work(Actor(imported.practice.id), NOW) as work:
        record_training(work, Scope.ALL, staff_id, "HIPAA", date(2026, 3, 1))


def test_a_used_practice_is_not_replaced(installation: Installation, bundle: Path) -> None:
    record_work(installation, import_practice(installation, bundle))
    before = count_all_rows(installation)
    with pytest.raises(NotReplaceable, match="worked in it"):
        import_practice(installation, bundle, replace=True)
    assert count_all_rows(installation) == before


@pytest.mark.parametrize(
    "action", ["coverage.verified", "session.locked", "session.unlocked", "session_completion.made"]
)
def test_work_whose_name_resembles_reading_or_signing_in_prevents_a_replacement(
    installation: Installation, bundle: Path, action: str
) -> None:
    imported = import_practice(installation, bundle)
    with installation.work(Actor(imported.practice.id), NOW) as work:
        work.record(action, "client", imported.practice.id)
    with pytest.raises(NotReplaceable, match="worked in it"):
        import_practice(installation, bundle, replace=True)


def test_doctor_has_no_finding_about_a_practice_that_was_set_aside(
    own_installation: Installation, bundle: Path
) -> None:
    import_practice(own_installation, bundle)
    import_practice(own_installation, bundle, replace=True)
    assert [finding.message for finding in examine(own_installation, NOW) if not finding.ok] == []


def test_a_practice_that_was_not_imported_is_not_replaced(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    with installation.work(Actor(), NOW) as work:
        admin = {"email": "someone@example.com", "first_name": "Ada", "last_name": "Admin"}
        create_practice(work, name=rows["practice"][0]["name"], time_zone="UTC", admin=admin)
    before = count_all_rows(installation)
    with pytest.raises(NotReplaceable, match="not made by an import"):
        import_practice(installation, write_folder(tmp_path / "b", rows), replace=True)
    assert count_all_rows(installation) == before
