"""What a record said stays: each change of a column that metrics use is kept with the moment from which it is known."""

from collections import Counter
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from practice.clinical.models.notes import Note
from practice.people.client_history import change_status
from practice.people.deletion_requests import create_request, redact_client, review_request
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.scheduling.models.appointments import Appointment
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.bundles import import_practice, load_sample_rows, make_unique, write_folder
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.builders.sessions import SessionBuilder

LATER = NOW + timedelta(days=1)


def list_versions(practice: PracticeFixture, record_id: UUID) -> list[Any]:
    with practice.work() as work:
        query = "select known_at, record_values from record_versions where record_id = :id order by id"
        return [tuple(row) for row in work.db.execute(text(query), {"id": record_id})]


def test_a_changed_client_keeps_earlier_values_and_when_they_were_known(practice: PracticeFixture) -> None:
    client_id = make_client(practice)
    [(known_at, first)] = list_versions(practice, client_id)
    assert (known_at, first["self_pay"], first["has_complete_demographics"]) == (None, True, True)
    for now, changes in (
        (NOW, {"self_pay": False}),
        (LATER, {"high_risk_since": date(2026, 3, 1), "zip": " "}),
        (LATER, {"first_name": "Robin"}),  # no metric uses it
    ):
        with practice.work(now=now) as work:
            client = work.db.get_one(Client, (practice.id, client_id))
            for name, value in changes.items():
                setattr(client, name, value)
    versions = list_versions(practice, client_id)
    assert [known_at for known_at, _ in versions] == [None, NOW, LATER]
    assert [values["self_pay"] for _, values in versions] == [True, False, False]
    assert [values["has_complete_demographics"] for _, values in versions] == [True, True, False]
    assert versions[2][1]["high_risk_since"] == "2026-03-01"
    assert "Robin" not in str(versions)


def test_a_change_that_is_rolled_back_leaves_no_version(practice: PracticeFixture) -> None:
    staff_id = practice.admin.staff_id
    before = list_versions(practice, staff_id)
    with suppress(KeyboardInterrupt), practice.work() as work:
        work.db.get_one(Staff, (practice.id, staff_id)).license_type = "LPC"
        work.db.flush()
        raise KeyboardInterrupt
    assert list_versions(practice, staff_id) == before


def test_a_note_keeps_which_session_it_belonged_to(practice: PracticeFixture) -> None:
    sessions = SessionBuilder(practice, practice.add("clinician"))
    first, second = (sessions.add_session(NOW - timedelta(days=days)) for days in (2, 1))
    note = sessions.add_note(first)
    assert list_versions(practice, note) == []
    with practice.work(now=LATER) as work:
        work.db.get_one(Note, (practice.id, note)).appointment_id = second
    assert list_versions(practice, note) == [
        (None, {"appointment_id": str(first)}),
        (LATER, {"appointment_id": str(second)}),
    ]


def test_imported_records_have_been_known_from_the_beginning(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    practice = import_practice(installation, write_folder(tmp_path / "bundle", rows)).practice
    with installation.work(Actor(practice.id), NOW) as work:
        versions = work.db.execute(text("select record_kind, known_at from record_versions")).all()
    assert {version.known_at for version in versions} == {None}
    counts = Counter(version.record_kind for version in versions)
    for table in ("staff", "clients", "coverages", "consents", "closures"):
        assert counts[table] == len(rows[table])


def test_versions_are_neither_changed_nor_removed(practice: PracticeFixture) -> None:
    for statement in ("update record_versions set known_at = null", "delete from record_versions"):
        with pytest.raises(ProgrammingError, match="permission denied"), practice.work() as work:
            work.db.execute(text(statement))


def test_versions_of_an_appointment_begin_with_its_first_correction(practice: PracticeFixture) -> None:
    sessions = SessionBuilder(practice, practice.add("clinician"))
    appointment_id = sessions.add_session(NOW - timedelta(days=2), status="SCHEDULED", status_at=None)
    for days, status in enumerate(("COMPLETED", "IN_PROGRESS", "COMPLETED")):
        if days == 1:
            assert list_versions(practice, appointment_id) == []
        with practice.work(now=NOW + timedelta(days=days)) as work:
            appointment = work.db.get_one(Appointment, (practice.id, appointment_id))
            appointment.status, appointment.status_at = status, work.now
    versions = [(known_at, values["status"]) for known_at, values in list_versions(practice, appointment_id)]
    assert versions == [(None, "COMPLETED"), (LATER, "IN_PROGRESS"), (NOW + timedelta(days=2), "COMPLETED")]


@pytest.mark.parametrize(
    ("born", "former", "latest"),
    [(date(1990, 5, 17), "1990-01-01", "1990-12-31"), (date(2010, 5, 17), "2010-12-31", "2010-12-31")],
)
def test_of_the_birth_date_of_a_redacted_client_the_year_remains(
    practice: PracticeFixture, born: date, former: str, latest: str
) -> None:
    client_id = make_client(practice, birth_date=born, guardian_name="Gale Guardian")
    with practice.work(now=LATER) as work:
        change_status(work, Scope.ALL, client_id, "DISCHARGED")
        request_id = create_request(work, Scope.ALL, client_id).id
        review_request(work, request_id, approved=True)
        redact_client(work, request_id)
    births = [values["birth_date"] for _, values in list_versions(practice, client_id)]
    assert births[0] == former
    assert births[-1] == latest
    assert str(born) not in births


def test_versions_lose_nothing_but_birth_dates(practice: PracticeFixture, installation: Installation) -> None:
    client_id = make_client(practice)
    overwrite = (
        "update record_versions set record_values = record_values || '{\"self_pay\": null}' where record_id = %s"
    )
    with pytest.raises(psycopg.errors.IntegrityError), installation.store.connect("superuser") as connection:
        connection.execute(overwrite, [client_id])


def test_birth_dates_of_versions_change_for_redacted_clients_alone(
    practice: PracticeFixture, installation: Installation
) -> None:
    client_id = make_client(practice, birth_date=date(1990, 5, 17))
    with practice.work() as work:
        work.db.execute(text("update clients set birth_date = '1991-05-17' where id = :id"), {"id": client_id})
        work.db.execute(
            text("select forget_birth_date(:tenant, :id, '1900-01-01')"), {"tenant": practice.id, "id": client_id}
        )
    births = [values["birth_date"] for _, values in list_versions(practice, client_id)]
    assert births == ["1990-05-17", "1991-05-17"]
    added = '{"birth_date": "1990-01-01"}'
    add = f"update record_versions set record_values = record_values || '{added}' where record_kind = 'staff'"
    with pytest.raises(psycopg.errors.IntegrityError), installation.store.connect("superuser") as connection:
        connection.execute(add)
