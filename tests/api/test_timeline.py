"""The timeline of a chart: what happened when, to whom it is shown, and none of what was written there."""

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
from tests.support.drivers.clients import ask, good

SECRET = "Sampleword"


@pytest.fixture
def chart(practice: PracticeFixture) -> UUID:
    """Of one client, something of each kind; whatever holds words holds one that must not come out."""
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    practice.add("scheduler")
    practice.add("biller")
    practice.people["client"] = me = make_portal_client(practice, clinician)
    start = datetime(2026, 3, 9, 14, tzinfo=UTC)
    visit = make_appointment(
        practice, clinician, me.staff_id, make_service(practice), start, reference="BK-2026-000001", status="COMPLETED",
        status_at=start, special_requests=SECRET, instructions=SECRET,
    )  # fmt: skip
    mine: dict[str, Any] = {"client_id": me.staff_id}
    theirs = mine | {"clinician_id": clinician.staff_id}
    signed = {"status": "SIGNED", "signed_at": start, "signed_by_id": clinician.staff_id}
    void = {"voided_at": start, "void_reason": SECRET}
    file = {"media_type": "application/pdf", "size": 1, "sha256": b"x", "content": b"x"}
    about = {"payer_id": SECRET, "payer_name": SECRET, "member_id": SECRET}
    with practice.installation.store.session_in(practice.id) as db:
        db.execute(update(Consent).values(voided_at=start))  # those that every client of the tests has
    at_once = mine | {"signed_at": datetime(2026, 2, 1, tzinfo=UTC)}
    put(
        practice,
        Consent(id=UUID(int=1), kind="CONFIDENTIALITY", **at_once),
        Consent(id=UUID(int=2), kind="GUARDIAN", revoked_at=start, **at_once),
        Note(
            id=new_id(),
            type="SOAP_NOTE",
            created_at=start + timedelta(hours=1),
            appointment_id=visit,
            **theirs,
            **signed,
        ),
        ProgressReport(id=new_id(), reported_on=date(2026, 3, 9), status="FINAL", created_at=start, **theirs),
        ProgressReport(id=new_id(), reported_on=date(2026, 3, 9), created_at=start, **void, **theirs),
        TreatmentPlanReview(id=new_id(), reviewed_on=date(2026, 3, 8), created_at=start, **theirs),
        TreatmentPlan(id=new_id(), kind=SECRET, starts_on=date(2026, 3, 2), created_at=start, **theirs),
        TreatmentPlan(id=new_id(), kind=SECRET, starts_on=date(2026, 3, 2), created_at=start, **void, **theirs),
        Consent(
            id=new_id(), kind="TELEHEALTH", signed_at=datetime(2026, 3, 7, tzinfo=UTC), signed_by_name=SECRET, **mine
        ),
        Consent(id=new_id(), kind="TELEHEALTH", signed_at=start, signed_by_name=SECRET, **void, **mine),
        Coverage(id=new_id(), rank=2, effective_on=date(2026, 3, 6), ends_on=date(2026, 12, 31), **about, **mine),
        Coverage(id=new_id(), rank=1, effective_on=date(2026, 3, 6), **about, **void, **mine),
        Document(id=new_id(), name=SECRET, uploaded_at=datetime(2026, 3, 5, tzinfo=UTC), **file, **mine),
        Document(id=new_id(), name=SECRET, uploaded_at=start, **file, **void, **mine),
        PrimaryClinician(effective_on=date(2026, 3, 4), set_at=start, **theirs),
        IntakeForm(id=new_id(), status="DRAFT", started_at=datetime(2026, 3, 3, tzinfo=UTC), saved_at=start, **mine),
    )
    other = make_client(practice, clinician)
    make_appointment(practice, clinician, other, make_service(practice), start + timedelta(hours=2))
    return me.staff_id


def timeline(client: TestClient, practice: PracticeFixture, client_id: UUID, who: str = "admin", **query: Any) -> Any:
    asked = "&".join(
        f"{name}={one}" for name, value in query.items() for one in (value if type(value) is list else [value])
    )
    return ask(client, practice, "GET", f"/clients/{client_id}/timeline?{asked}", practice.people.get(who))


def events(answer: Any) -> list[tuple[str, str]]:
    return [(event["kind"], event["summary"]) for event in good(answer)["items"]]


SAID = [
    ("note", "SOAP note: signed"),
    ("appointment", "Appointment BK-2026-000001, 2026-03-09 10:00 to 11:00: completed"),
    ("progress_report", "Progress report: final"),
    ("treatment_plan_review", "Treatment plan reviewed"),
    ("consent", "Telehealth consent: signed"),
    ("coverage", "Secondary coverage begins, unverified, until 2026-12-31"),
    ("document", "Document added (application/pdf)"),
    ("primary_clinician", "Primary clinician chosen"),
    ("intake_form", "Intake form: draft"),
    ("treatment_plan", "Treatment plan begun"),
    ("consent", "Guardian consent: revoked"),
    ("consent", "Confidentiality consent: signed"),
    ("status", "Status: active"),
]


def test_a_chart_is_told_in_our_words_newest_first(client: TestClient, practice: PracticeFixture, chart: UUID) -> None:
    answer = timeline(client, practice, chart)
    assert events(answer) == SAID
    assert {kind for kind, _ in SAID} == set(BRANCHES)
    assert SECRET.lower() not in answer.text.lower()
    times = [event["at"] for event in answer.json()["items"]]
    assert times == sorted(times, reverse=True)
    assert times[3] == "2026-03-08T05:00:00Z"  # local midnight, an hour before the clocks go forward


@pytest.mark.parametrize("who", ["clinician", "supervisor"])
def test_whoever_reads_the_chart_sees_all_of_it(
    client: TestClient, practice: PracticeFixture, chart: UUID, who: str
) -> None:
    assert events(timeline(client, practice, chart, who)) == SAID


@pytest.mark.parametrize("who", ["scheduler", "biller", "client"])
def test_whoever_has_no_right_to_notes_does_not_see_that_there_are_any(
    client: TestClient, practice: PracticeFixture, chart: UUID, who: str
) -> None:
    clinical = ["note", "treatment_plan", "treatment_plan_review", "progress_report"]
    seen = events(timeline(client, practice, chart, who))
    assert seen == [event for event in SAID if event[0] not in clinical]
    assert events(timeline(client, practice, chart, who, kinds=clinical)) == []


def test_a_clinician_at_the_desk_sees_notes_of_their_own_clients_alone(
    client: TestClient, practice: PracticeFixture, chart: UUID
) -> None:
    practice.people["both"] = practice.add("clinician", "scheduler")
    assert "note" not in {kind for kind, _ in events(timeline(client, practice, chart, "both"))}
    make_appointment(practice, practice.people["both"], chart, make_service(practice), practice.now + timedelta(days=9))
    assert "note" in {kind for kind, _ in events(timeline(client, practice, chart, "both"))}


def test_the_timeline_is_asked_for_some_days_and_kinds(
    client: TestClient, practice: PracticeFixture, chart: UUID
) -> None:
    march = {"from": "2026-03-06", "to": "2026-03-08"}
    found = [kind for kind, _ in events(timeline(client, practice, chart, **march))]
    assert found == ["treatment_plan_review", "consent", "coverage"]
    kinds = {"kinds": ["status", "appointment"]}
    assert [kind for kind, _ in events(timeline(client, practice, chart, **kinds))] == ["appointment", "status"]
    assert timeline(client, practice, chart, kinds=["secrets"]).status_code == 422


def test_days_begin_and_end_where_the_practice_is(client: TestClient, practice: PracticeFixture) -> None:
    """A consent signed at 23:30 in New York is of that day, though it is the next one in Greenwich."""
    me = make_client(practice)
    at = datetime(2026, 3, 11, 3, 30, tzinfo=UTC)
    put(practice, Consent(id=new_id(), client_id=me, kind="TELEHEALTH", signed_at=at))
    found = {
        day: len(events(timeline(client, practice, me, **{"from": day, "to": day})))
        for day in ("2026-03-09", "2026-03-10", "2026-03-11")
    }
    assert found == {"2026-03-09": 0, "2026-03-10": 1, "2026-03-11": 0}


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_the_pages_hold_every_event_once(
    client: TestClient, practice: PracticeFixture, chart: UUID, limit: int
) -> None:
    found: list[tuple[str, str]] = []
    query: dict[str, Any] = {"limit": limit}
    for _ in range(len(SAID) + 1):
        page = timeline(client, practice, chart, **query)
        found += events(page)
        if page.json()["next_cursor"] is None:
            break
        query["cursor"] = page.json()["next_cursor"]
    assert found == SAID


def test_a_cursor_of_something_else_is_refused(client: TestClient, practice: PracticeFixture, chart: UUID) -> None:
    for cursor in ("x", "WyJpZCIsICIxIl0", "e30"):
        assert timeline(client, practice, chart, cursor=cursor).status_code == 422
    for day in ("1899-12-31", "2200-01-01", "soon"):
        assert timeline(client, practice, chart, to=day).status_code == 422
    good(timeline(client, practice, chart, **{"from": "1900-01-01", "to": "2199-12-31"}))


def test_the_timeline_of_somebody_elses_client_is_not_there(
    client: TestClient, practice: PracticeFixture, chart: UUID
) -> None:
    practice.people["stranger"] = practice.add("clinician")
    assert timeline(client, practice, chart, "stranger").status_code == 404
    assert timeline(client, practice, new_id()).status_code == 404
    other = make_client(practice, practice.people["clinician"])
    assert timeline(client, practice, other, "client").status_code == 404
