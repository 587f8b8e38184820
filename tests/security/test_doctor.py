"""The examination of an installation: what is wrong is found and named, and what cannot be looked at too."""

import shutil
import threading
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from api.app import keep_house
from practice.people.staff import deactivate_staff
from practice.security.accounts import account_for
from practice.security.doctor import Finding, examine
from practice.security.email_outbox import Letter
from practice.security.installation import Installation
from practice.store.store import Store
from tests.support.builders.people import NOW, House, make_practice, sign_in
from tests.support.builders.schedule import make_portal_client
from tests.support.harness import cluster

Usage = namedtuple("Usage", "total used free")


def wrong(house: Installation) -> list[Finding]:
    return [finding for finding in examine(house, NOW) if not finding.ok]


def only(house: Installation, area: str) -> Finding:
    (finding,) = wrong(house)
    assert finding.area == area
    assert finding.sentence.endswith((".", ")."))
    return finding


@pytest.fixture
def practice(own_house: Installation) -> House:
    made = make_practice(own_house, "Elm Street")
    made.add("clinician")
    return made


def owner(house: Installation, statement: str) -> None:
    with cluster.superuser(house.store.database) as connection:
        connection.execute(statement)  # ty: ignore[no-matching-overload]


def test_a_table_that_was_opened_is_named(practice: House) -> None:
    owner(practice.house, "alter table staff disable row level security")
    assert "Table staff: row-level security is off." in only(practice.house, "row-level security").sentence


def test_a_schema_of_another_age_is_said_and_nothing_further_is_tried(practice: House) -> None:
    owner(practice.house, "update alembic_version set version_num = '0000'")
    finding = only(practice.house, "schema")
    assert "newer Caseload" in finding.sentence


def test_a_database_that_does_not_answer_is_a_finding(practice: House) -> None:
    house = practice.house
    nowhere = Store(house.settings.data_dir, "postgresql://caseload_app:x@127.0.0.1:1/nowhere")
    finding = only(Installation(house.settings, nowhere), "database")
    assert "does not answer" in finding.sentence


def test_an_account_that_belongs_nowhere_is_named(practice: House) -> None:
    with practice.house.store.system_session() as db:
        account = account_for(db, "nobody@example.com", NOW)
    assert only(practice.house, "accounts").facts == {"accounts": [str(account.id)]}


def test_a_place_without_a_staff_record_and_a_record_without_a_place_are_named(practice: House) -> None:
    house, clinician = practice.house, practice.people["clinician"]
    other = make_practice(house, "Oak Street")
    with house.store.system_session() as db:
        parameters = {"account": clinician.account_id, "here": practice.id, "there": other.id}
        db.execute(text("update memberships set tenant_id = :there where account_id = :account"), parameters)
    found = {finding.sentence.split(":")[0]: finding.facts for finding in wrong(house)}
    assert found == {
        "Practice Elm Street (elm-street)": {"staff": [str(clinician.staff_id)]},
        "Practice Oak Street (oak-street)": {"accounts": [str(clinician.account_id)]},
    }


def test_a_client_who_signs_in_to_the_portal_is_no_finding(practice: House) -> None:
    sign_in(practice.house, make_portal_client(practice).account_id, practice.id)
    assert wrong(practice.house) == []


def test_somebody_who_left_is_no_finding(practice: House) -> None:
    sign_in(practice.house, practice.people["clinician"].account_id, practice.id)
    with practice.work() as work:
        deactivate_staff(work, practice.people["clinician"].staff_id, NOW.date())
    assert wrong(practice.house) == []


def test_a_session_of_somebody_who_may_no_longer_be_here_is_named_until_it_ran_out(practice: House) -> None:
    house, clinician = practice.house, practice.people["clinician"]
    session = sign_in(house, clinician.account_id, practice.id).session_id
    (accounts,) = [finding for finding in examine(house, NOW) if finding.area == "accounts"]
    assert accounts.facts == {"live": 1, "timed_out": 0}
    with house.store.system_session() as db:
        db.execute(
            text("update accounts set disabled_at = :now where id = :id"), {"now": NOW, "id": clinician.account_id}
        )
    assert only(house, "accounts").facts == {"sessions": [str(session)]}
    (accounts,) = [finding for finding in examine(house, NOW + timedelta(days=1)) if finding.area == "accounts"]
    assert accounts.facts == {"live": 0, "timed_out": 1}


def test_letters_that_wait_are_counted(practice: House) -> None:
    practice.house.letters.post(Letter("a@example.com", "Hello", "You"), NOW)
    (outbox,) = [finding for finding in examine(practice.house, NOW) if finding.area == "outbox"]
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
    practice: House, monkeypatch: pytest.MonkeyPatch, total: int, free: int, ok: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total, total - free, free))
    (disk,) = [finding for finding in examine(practice.house, NOW) if finding.area == "disk"]
    assert disk.ok is ok
    assert disk.facts == {"free_bytes": free, "total_bytes": total}


def test_what_cannot_be_looked_at_is_a_finding_that_quotes_nothing(practice: House, tmp_path: Path) -> None:
    practice.house.anchors.folder.mkdir(exist_ok=True)
    (practice.house.anchors.folder / f"{practice.id}.jsonl").mkdir()
    finding = only(practice.house, "audit log")
    assert "could not be examined (IsADirectoryError)" in finding.sentence
    assert str(tmp_path) not in finding.sentence


def test_the_service_anchors_a_last_time_when_it_stops(practice: House) -> None:
    stop = threading.Event()
    stop.set()
    keep_house(practice.house, lambda: NOW, stop)
    assert set(practice.house.anchors.tenants()) == set(practice.house.practices(NOW))
