"""The page of a client over HTTP: what those who treat them see, who else sees it, and its trace in the audit log."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.http import V1, assert_ok, auth_headers

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def sessions(practice: PracticeFixture, supervisor: Person) -> SessionBuilder:
    """Return a clinician's client with a visit held, whose note is a draft, and one to come."""
    builder = SessionBuilder(practice, practice.add("clinician", supervisor=supervisor))
    write_note(practice, builder.clinician, builder.add_session(NOW - 2 * HOUR))
    builder.add_session(NOW + DAY, status="CONFIRMED", status_at=None)
    for days in (-3, 2):
        builder.add_session(NOW + days * DAY, status="CANCELLED")
    return builder


def get(client: TestClient, practice: PracticeFixture, by: Person | None, client_id: UUID) -> Any:
    query = {"client_id": str(client_id)}
    return client.get(f"{V1}/dashboards/client", params=query, headers=auth_headers(practice, by))


def test_a_clinician_sees_visits_notes_and_what_is_due(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    page = assert_ok(get(client, practice, sessions.clinician, sessions.client))
    assert page["client"]["id"] == str(sessions.client)
    assert [visit["status"] for visit in page["next_visits"]] == ["CONFIRMED"]
    assert [visit["status"] for visit in page["last_visits"]] == ["COMPLETED"]
    assert [note["status"] for note in page["chart"]["notes"]] == ["DRAFT"]
    assert page["chart"]["plan"]["state"] == "missing"
    assert [need["key"] for need in page["needs"]] == ["drafts", "plan"]
    assert page["brief"][0].startswith("Last seen on ")
    assert (page["consents_due"], len(page["consents"]) > 0) == ([], True)


def test_what_is_missing_is_said(client: TestClient, practice: PracticeFixture, sessions: SessionBuilder) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update consents set voided_at = now() where client_id = :id"), {"id": sessions.client})
        db.execute(text("update clients set high_risk_since = :day"), {"day": date(2026, 3, 1)})
        db.execute(
            text("update appointments set status = 'CANCELLED', status_at = :now where starts_at > :now"), {"now": NOW}
        )
    page = assert_ok(get(client, practice, sessions.clinician, sessions.client))
    assert [need["key"] for need in page["needs"]] == ["drafts", "safety_plan", "rebook", "consents", "plan"]
    assert page["consents_due"] == ["The informed consent is not signed. Ask the client to sign it."]
    assert page["brief"][0].endswith("nothing is booked.")


def test_cancelled_visits_hide_no_other(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    for number in range(1, 11):
        sessions.add_session(NOW + number * HOUR, status="CANCELLED")
        sessions.add_session(NOW - number * HOUR, status="RESCHEDULED")
    for number in range(12):
        sessions.add_session(NOW - HOUR + number * MINUTE, status="NO_SHOW")
    page = assert_ok(get(client, practice, sessions.clinician, sessions.client))
    assert [visit["status"] for visit in page["next_visits"]] == ["CONFIRMED"]
    assert {visit["status"] for visit in page["last_visits"]} == {"NO_SHOW"}
    assert (
        page["brief"][0]
        == "Last seen on Wednesday, March 18, 2026, 9:30 am; next visit on Thursday, March 19, 2026, 11:30 am."
    )


def test_a_visit_with_somebody_else_is_a_visit(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder, supervisor: Person
) -> None:
    """Their primary clinician hears of it, without its details; others who treat them do not."""
    other = make_client(practice, sessions.clinician)
    colleague = practice.add("clinician")
    sessions.add_session(NOW - DAY, client=other, clinician=colleague)
    sessions.add_session(NOW + DAY, client=other, clinician=practice.add("clinician"), status="SCHEDULED")
    for person, said in (
        (
            sessions.clinician,
            "Not seen by you yet; booked with another clinician on Thursday, March 19, 2026, 11:30 am.",
        ),
        (supervisor, "Not seen by your team yet; booked with another clinician on Thursday, March 19, 2026, 11:30 am."),
        (colleague, "Last seen on Tuesday, March 17, 2026, 11:30 am; nothing is booked with you."),
        (None, "Last seen on Tuesday, March 17, 2026, 11:30 am; next visit on Thursday, March 19, 2026, 11:30 am."),
    ):
        page = assert_ok(get(client, practice, person, other))
        assert page["brief"][0] == said
        assert "rebook" not in [need["key"] for need in page["needs"]]


def test_others_see_what_the_api_shows_them_elsewhere(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder, supervisor: Person
) -> None:
    assert len(assert_ok(get(client, practice, supervisor, sessions.client))["chart"]["notes"]) == 1
    by_admin = assert_ok(get(client, practice, None, sessions.client))
    assert (by_admin["chart"], by_admin["client"]["medical_notes"]) == (None, None)
    colleague = practice.add("clinician")
    sessions.add_session(NOW - DAY, clinician=colleague)
    seen = assert_ok(get(client, practice, colleague, sessions.client))
    assert (seen["chart"]["notes"], len(seen["last_visits"])) == ([], 1)  # no draft, no visit of somebody else


def test_a_client_of_somebody_else_is_not_found(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    other = make_client(practice, practice.add("clinician"))
    for person, client_id in ((sessions.clinician, other), (practice.add("supervisor"), sessions.client)):
        assert get(client, practice, person, client_id).status_code == 404
    assert get(client, practice, practice.add("scheduler"), sessions.client).status_code == 403


def test_every_part_is_recorded_as_access_to_the_chart(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    assert_ok(get(client, practice, sessions.clinician, sessions.client))
    query = text(
        "select coalesce(details ->> 'part', action) from audit_log"
        " where subject_id = :id and account_id = :by and action in ('client.read', 'appointments.listed')"
    )
    values = {"id": sessions.client, "by": sessions.clinician.account_id}
    with practice.installation.store.begin_session(practice.id) as db:
        parts = sorted(db.scalars(query, values))
    expected = ["client.read", "consents", "notes", "progress reports", "safety plan", "treatment plan"]
    assert parts == sorted([*["appointments.listed"] * 2, *expected])


def test_an_admin_who_also_treats_sees_other_clients_as_an_admin(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    both = practice.add("admin", "clinician")
    page = assert_ok(
        client.get(
            f"{V1}/dashboards/client", params={"client_id": str(sessions.client)}, headers=auth_headers(practice, both)
        )
    )
    assert (page["client"]["id"], page["chart"]) == (str(sessions.client), None)
