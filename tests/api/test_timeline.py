"""Chart timeline over HTTP: events, access, filters, and no sensitive text."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from practice.clinical.models.notes import Note
from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.clinical.models.reports import ProgressReport
from practice.people.models.clients import Consent, Coverage, Document, IntakeForm, PrimaryClinician
from practice.sessions.timeline import BRANCHES
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service, put
from tests.support.drivers.clients import send_request
from tests.support.drivers.http import assert_ok

SECRET = "Sampleword"


@pytest.fixture
def client_id(practice: PracticeFixture) -> UUID:
    """Create a client with an event of each kind; every text field contains a word that must not be shown."""
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    practice.add("scheduler")
    practice.add("biller")
    practice.people["client"] = patient = make_portal_client(practice, clinician)
    start = datetime(2026, 3, 9, 14, tzinfo=UTC)
    visit = make_appointment(
        practice,
        clinician,
        patient.staff_id,
        make_service(practice),
        start,
        reference="BK-2026-000001",
        status="COMPLETED",
        status_at=start,
        special_requests=SECRET,
        instructions=SECRET,
    )
    of_client: dict[str, Any] = {"client_id": patient.staff_id}
    of_clinician = of_client | {"clinician_id": clinician.staff_id}
    signature = {"status": "SIGNED", "signed_at": start, "signed_by_id": clinician.staff_id}
    void = {"voided_at": start, "void_reason": SECRET}
    content = {"kind": "OTHER", "media_type": "application/pdf", "size": 1, "sha256": b"x", "content": b"x"}
    payer = {"payer_id": SECRET, "payer_name": SECRET, "member_id": SECRET}
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(update(Consent).values(voided_at=start))  # void the consents that every test client has
    imported = of_client | {"signed_at": datetime(2026, 2, 1, tzinfo=UTC)}
    put(
        practice,
        Consent(id=UUID(int=1), kind="CONFIDENTIALITY", **imported),
        Consent(id=UUID(int=2), kind="GUARDIAN", revoked_at=start, **imported),
        Note(
            id=new_id(),
            type="SOAP_NOTE",
            created_at=start + timedelta(hours=1),
            appointment_id=visit,
            **of_clinician,
            **signature,
        ),
        ProgressReport(id=new_id(), reported_on=date(2026, 3, 9), status="FINAL", created_at=start, **of_clinician),
        ProgressReport(id=new_id(), reported_on=date(2026, 3, 9), created_at=start, **void, **of_clinician),
        TreatmentPlanReview(id=new_id(), reviewed_on=date(2026, 3, 8), created_at=start, **of_clinician),
        TreatmentPlan(id=new_id(), kind=SECRET, starts_on=date(2026, 3, 2), created_at=start, **of_clinician),
        TreatmentPlan(id=new_id(), kind=SECRET, starts_on=date(2026, 3, 2), created_at=start, **void, **of_clinician),
        Consent(
            id=new_id(),
            kind="TELEHEALTH",
            signed_at=datetime(2026, 3, 7, tzinfo=UTC),
            signed_by_name=SECRET,
            **of_client,
        ),
        Consent(id=new_id(), kind="TELEHEALTH", signed_at=start, signed_by_name=SECRET, **void, **of_client),
        Coverage(id=new_id(), rank=2, effective_on=date(2026, 3, 6), ends_on=date(2026, 12, 31), **payer, **of_client),
        Coverage(id=new_id(), rank=1, effective_on=date(2026, 3, 6), **payer, **void, **of_client),
        Document(id=new_id(), name=SECRET, uploaded_at=datetime(2026, 3, 5, tzinfo=UTC), **content, **of_client),
        Document(id=new_id(), name=SECRET, uploaded_at=start, **content, **void, **of_client),
        PrimaryClinician(effective_on=date(2026, 3, 4), set_at=start, **of_clinician),
        IntakeForm(
            id=new_id(), status="DRAFT", started_at=datetime(2026, 3, 3, tzinfo=UTC), saved_at=start, **of_client
        ),
    )
    other = make_client(practice, clinician)
    make_appointment(practice, clinician, other, make_service(practice), start + timedelta(hours=2))
    return patient.staff_id


def get_timeline(
    client: TestClient, practice: PracticeFixture, client_id: UUID, role: str = "admin", **query: Any
) -> Any:
    params = "&".join(
        f"{name}={item}" for name, value in query.items() for item in (value if type(value) is list else [value])
    )
    return send_request(client, practice, "GET", f"/clients/{client_id}/timeline?{params}", practice.people.get(role))


def list_events(answer: Any) -> list[tuple[str, str]]:
    return [(event["kind"], event["summary"]) for event in assert_ok(answer)["items"]]


EVENTS = [
    ("note", "SOAP note: signed"),
    ("appointment", "Appointment BK-2026-000001, 2026-03-09 10:00 to 11:00: completed"),
    ("progress_report", "Progress report: final"),
    ("treatment_plan_review", "Treatment plan reviewed"),
    ("consent", "Telehealth consent: signed"),
    ("coverage", "Secondary coverage begins, unverified, until 2026-12-31"),
    ("document", "Document added (application/pdf)"),
    ("primary_clinician", "Primary clinician assigned"),
    ("intake_form", "Intake form: draft"),
    ("treatment_plan", "Treatment plan started"),
    ("consent", "Guardian consent: revoked"),
    ("consent", "Confidentiality consent: signed"),
    ("status", "Status: active"),
]


def test_events_are_summarized_newest_first(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    answer = get_timeline(client, practice, client_id)
    assert list_events(answer) == EVENTS
    assert {kind for kind, _ in EVENTS} == set(BRANCHES)
    assert SECRET.lower() not in answer.text.lower()
    times = [event["at"] for event in answer.json()["items"]]
    assert times == sorted(times, reverse=True)
    assert times[3] == "2026-03-08T05:00:00Z"  # local midnight, an hour before the clocks go forward


@pytest.mark.parametrize("role", ["clinician", "supervisor"])
def test_those_who_can_read_chart_notes_see_all_events(
    client: TestClient, practice: PracticeFixture, client_id: UUID, role: str
) -> None:
    assert list_events(get_timeline(client, practice, client_id, role)) == EVENTS


@pytest.mark.parametrize("role", ["scheduler", "biller", "client"])
def test_others_do_not_see_clinical_events(
    client: TestClient, practice: PracticeFixture, client_id: UUID, role: str
) -> None:
    clinical = ["note", "treatment_plan", "treatment_plan_review", "progress_report"]
    visible = list_events(get_timeline(client, practice, client_id, role))
    assert visible == [event for event in EVENTS if event[0] not in clinical]
    assert list_events(get_timeline(client, practice, client_id, role, kinds=clinical)) == []


def test_a_clinician_scheduler_sees_notes_of_own_clients_only(
    client: TestClient, practice: PracticeFixture, client_id: UUID
) -> None:
    practice.people["both"] = practice.add("clinician", "scheduler")
    assert "note" not in {kind for kind, _ in list_events(get_timeline(client, practice, client_id, "both"))}
    make_appointment(
        practice, practice.people["both"], client_id, make_service(practice), practice.now + timedelta(days=9)
    )
    assert "note" in {kind for kind, _ in list_events(get_timeline(client, practice, client_id, "both"))}


def test_the_timeline_filters_by_days_and_kinds(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    period = {"from": "2026-03-06", "to": "2026-03-08"}
    kinds = [kind for kind, _ in list_events(get_timeline(client, practice, client_id, **period))]
    assert kinds == ["treatment_plan_review", "consent", "coverage"]
    filters = {"kinds": ["status", "appointment"]}
    assert [kind for kind, _ in list_events(get_timeline(client, practice, client_id, **filters))] == [
        "appointment",
        "status",
    ]
    for kind in ("note", "status", "consent", "coverage", "appointment", "treatment_plan_review"):
        events = list_events(get_timeline(client, practice, client_id, kinds=[kind]))
        assert {name for name, _ in events} <= {kind}
    assert get_timeline(client, practice, client_id, kinds=["secrets"]).status_code == 422


def test_days_are_in_the_practices_time_zone(client: TestClient, practice: PracticeFixture) -> None:
    """A consent signed at 23:30 in New York belongs to that day, although it is the next day in UTC."""
    patient = make_client(practice)
    at = datetime(2026, 3, 11, 3, 30, tzinfo=UTC)
    put(practice, Consent(id=new_id(), client_id=patient, kind="TELEHEALTH", signed_at=at))
    counts = {
        day: len(list_events(get_timeline(client, practice, patient, **{"from": day, "to": day})))
        for day in ("2026-03-09", "2026-03-10", "2026-03-11")
    }
    assert counts == {"2026-03-09": 0, "2026-03-10": 1, "2026-03-11": 0}


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_pages_list_every_event_once(
    client: TestClient, practice: PracticeFixture, client_id: UUID, limit: int
) -> None:
    events: list[tuple[str, str]] = []
    query: dict[str, Any] = {"limit": limit}
    for _ in range(len(EVENTS) + 1):
        page = get_timeline(client, practice, client_id, **query)
        events += list_events(page)
        if page.json()["next_cursor"] is None:
            break
        query["cursor"] = page.json()["next_cursor"]
    assert events == EVENTS


def test_an_invalid_cursor_is_refused(client: TestClient, practice: PracticeFixture, client_id: UUID) -> None:
    for cursor in ("x", "WyJpZCIsICIxIl0", "e30"):
        assert get_timeline(client, practice, client_id, cursor=cursor).status_code == 422
    for day in ("1899-12-31", "2200-01-01", "soon"):
        assert get_timeline(client, practice, client_id, to=day).status_code == 422
    assert_ok(get_timeline(client, practice, client_id, **{"from": "1900-01-01", "to": "2199-12-31"}))


def test_the_timeline_of_an_invisible_client_is_not_found(
    client: TestClient, practice: PracticeFixture, client_id: UUID
) -> None:
    practice.people["stranger"] = practice.add("clinician")
    assert get_timeline(client, practice, client_id, "stranger").status_code == 404
    assert get_timeline(client, practice, new_id()).status_code == 404
    other = make_client(practice, practice.people["clinician"])
    assert get_timeline(client, practice, other, "client").status_code == 404
