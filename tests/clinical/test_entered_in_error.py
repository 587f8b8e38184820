"""Notes entered in error: struck, readable, verifiable, and no longer counted, over HTTP."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.clinical.notes.entered_in_error import mark_entered_in_error
from practice.people.staff import deactivate_staff
from tests.support.builders.notes import SOAP, fill_sections
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.http import V1, void
from tests.support.drivers.notes import NotesApi, import_note, set_license
from tests.support.drivers.payroll import (
    CUT_OFF,
    HOUR,
    LAST_WEEK,
    NEXT_CUT_OFF,
    WEEK,
    PayrollScenario,
    list_lines,
)
from tests.support.drivers.sessions import SessionsApi

WHY = "Written in the wrong chart"


def strike(notes_api: NotesApi, note: dict[str, Any], **options: Any) -> dict[str, Any]:
    return notes_api.take_step(note, "entered-in-error", reason=WHY, **options)


def test_a_signed_note_stays_struck_with_who_and_why(notes_api: NotesApi) -> None:
    session = notes_api.make_session(status="COMPLETED", status_at=NOW)
    signed = notes_api.create_signed_note(appointment_id=session)
    notes_api.now = NOW + timedelta(hours=1)
    struck = strike(notes_api, signed)
    assert (struck["status"], struck["entered_in_error_reason"]) == ("ENTERED_IN_ERROR", WHY)
    assert struck["entered_in_error_by_id"] == str(notes_api.clinician.staff_id)
    assert struck["entered_in_error_at"] == notes_api.now.isoformat().replace("+00:00", "Z")
    assert (struck["signed_at"], struck["signed_by_id"]) == (signed["signed_at"], signed["signed_by_id"])
    reader = notes_api.practice.add("clinician")
    notes_api.make_session(clinician=reader, status="COMPLETED", status_at=NOW)
    for person in (notes_api.clinician, notes_api.supervisor, reader):
        seen = notes_api.read(struck, person)
        assert (seen["sections"], seen["entered_in_error_reason"]) == (signed["sections"], WHY)
        (listed,) = notes_api.get("/notes", person, client_id=notes_api.client).json()["items"]
        assert (listed["status"], listed["id"]) == ("ENTERED_IN_ERROR", signed["id"])
    assert len(notes_api.get("/notes", status="ENTERED_IN_ERROR").json()["items"]) == 1
    assert notes_api.verify(struck) == {
        **{"note_id": struck["id"], "intact": True, "versions": 1, "signatures": 1},
        **{"has_imported_signature": False, "problems": []},
    }
    (entry,) = notes_api.load_audit_entries("note.entered_in_error")
    assert (entry.subject_id, entry.details) == (notes_api.client, {"note_id": struck["id"]})
    (row,) = notes_api.load_rows(
        "select error_reason from notes where tenant_id = :tenant_id and id = :id", id=struck["id"]
    )
    assert WHY.encode() not in bytes(row.error_reason)


@pytest.mark.parametrize("status", ["DRAFT", "IN_REVIEW", "RETURNED", "SIGNED", "AMENDED", "AMENDMENT_IN_REVIEW"])
def test_nothing_can_be_done_with_a_struck_note(notes_api: NotesApi, status: str) -> None:
    set_license(notes_api.practice, notes_api.clinician, "APC")
    note, change = notes_api.create_note(), {"sections": SOAP | {"plan": "Weekly."}, "reason": "A slip"}
    if status != "DRAFT":
        note = notes_api.take_step(note, "submit")
    if status == "RETURNED":
        note = notes_api.take_step(note, "return", notes_api.supervisor, reason="Say more")
    if status in ("SIGNED", "AMENDED", "AMENDMENT_IN_REVIEW"):
        note = notes_api.take_step(note, "co-sign", notes_api.supervisor)
    if status in ("AMENDED", "AMENDMENT_IN_REVIEW"):
        note = notes_api.take_step(note, "amend", **change)
    if status == "AMENDED":
        note = notes_api.take_step(note, "co-sign", notes_api.supervisor)
    struck = strike(notes_api, note)
    assert (struck["status"], struck["version_in_review"]) == ("ENTERED_IN_ERROR", None)
    before = notes_api.count_rows()
    steps: list[tuple[str, dict[str, Any]]] = [
        *(("sign", {}), ("submit", {}), ("withdraw", {}), ("share", {}), ("unshare", {}), ("amend", change)),
        *(("addendum", {"text": "More.", "reason": "Later"}), ("entered-in-error", {"reason": "Again"})),
    ]
    for verb, body in steps:
        assert_error(notes_api.post_step(struck, verb, **body), "NOTE_ENTERED_IN_ERROR")
    assert_error(notes_api.save(struck), "NOTE_ENTERED_IN_ERROR")
    assert_error(notes_api.post_step(struck, "co-sign", notes_api.supervisor), "NOTE_ENTERED_IN_ERROR")
    assert_error(notes_api.post_step(struck, "return", notes_api.supervisor, reason="Why"), "NOT_IN_REVIEW")
    response = void(notes_api.http, f"{V1}/notes/{struck['id']}", notes_api.build_headers())
    assert_error(response, "NOTE_ENTERED_IN_ERROR")
    assert notes_api.get("/notes", notes_api.supervisor, in_review=True).json()["items"] == []
    assert (notes_api.count_rows(), notes_api.read(struck)) == (before, struck)
    assert notes_api.verify(struck)["problems"] == []


def test_the_author_or_their_supervisor_strikes_a_note_with_a_reason(notes_api: NotesApi) -> None:
    note = notes_api.create_signed_note()
    notes_api.make_session(clinician=notes_api.colleague, status="COMPLETED", status_at=NOW)
    assert_error(notes_api.post_step(note, "entered-in-error", notes_api.colleague, reason=WHY), "NOT_YOUR_NOTE", 403)
    admin = notes_api.practice.admin
    assert_error(notes_api.post_step(note, "entered-in-error", admin, reason=WHY), "FORBIDDEN", 403)
    stranger = notes_api.practice.add("supervisor")
    assert_error(notes_api.post_step(note, "entered-in-error", stranger, reason=WHY), "NOT_FOUND", 404)
    for wrong in ({}, {"reason": " "}, {"reason": "x"}):
        assert notes_api.post_step(note, "entered-in-error", **wrong).status_code == 422
    assert notes_api.read(note)["status"] == "SIGNED"


def test_the_supervisor_strikes_the_note_of_an_author_who_has_left(notes_api: NotesApi) -> None:
    note = notes_api.create_signed_note()
    with notes_api.practice.work() as work:
        deactivate_staff(work, notes_api.clinician.staff_id, NOW.date())
    struck = notes_api.take_step(note, "entered-in-error", notes_api.supervisor, reason=WHY)
    assert (struck["status"], struck["entered_in_error_by_id"]) == (
        "ENTERED_IN_ERROR",
        str(notes_api.supervisor.staff_id),
    )
    query = "select staff_id from messages where tenant_id = :tenant_id and kind = 'NOTE_ENTERED_IN_ERROR'"
    assert [row.staff_id for row in notes_api.load_rows(query)] == [notes_api.clinician.staff_id]


def test_the_supervisor_who_co_signed_is_told_and_the_client_no_longer_reads_it(notes_api: NotesApi) -> None:
    person = make_portal_client(notes_api.practice, notes_api.clinician)
    set_license(notes_api.practice, notes_api.clinician, "APC")
    note = notes_api.take_step(notes_api.create_note(client_id=person.staff_id), "submit")
    note = notes_api.take_step(notes_api.take_step(note, "co-sign", notes_api.supervisor), "share")
    assert notes_api.read(note, person)["status"] == "SIGNED"
    strike(notes_api, note)
    assert notes_api.get(f"/notes/{note['id']}", person).status_code == 404
    assert notes_api.get("/notes", person).json()["items"] == []
    query = "select staff_id from messages where tenant_id = :tenant_id and kind = 'NOTE_ENTERED_IN_ERROR'"
    assert [row.staff_id for row in notes_api.load_rows(query)] == [notes_api.supervisor.staff_id]


def test_an_imported_note_is_struck(notes_api: NotesApi) -> None:
    signed = {"status": "SIGNED", "signed_at": NOW, "signed_by_id": notes_api.clinician.staff_id}
    note = notes_api.get(f"/notes/{import_note(notes_api, 'As it came.', **signed)}").json()
    struck = strike(notes_api, note)
    assert (struck["status"], struck["sections"][0]["text"]) == ("ENTERED_IN_ERROR", "As it came.")
    assert notes_api.verify(struck)["problems"] == []


# What it counted for


def test_the_session_is_unsigned_again_and_gets_a_new_note(client: TestClient, practice: PracticeFixture) -> None:
    notes_api = NotesApi(client, practice)
    session = notes_api.make_session(status="COMPLETED", status_at=NOW)
    path = f"/compliance/session-completion/{session}"
    signed = notes_api.create_signed_note(appointment_id=session)
    assert notes_api.get(path).json()["isNoteSigned"]
    struck = strike(notes_api, signed)
    fields = notes_api.get(path).json()
    assert (fields["isNoteSigned"], fields["noteId"], fields["noteSignedAt"]) == (False, None, None)
    assert_error(notes_api.post(f"{path}/sign-note"), "NOTE_MISSING")
    new = notes_api.create_signed_note(appointment_id=session)
    fields = notes_api.get(path).json()
    assert (fields["isNoteSigned"], fields["noteId"]) == (True, new["id"])
    assert notes_api.read(struck)["status"] == "ENTERED_IN_ERROR"
    # after its deadline, the session of a struck note is locked until somebody unlocks it
    strike(notes_api, new)
    notes_api.now = NOW + timedelta(days=20)
    error = assert_error(notes_api.post_note(appointment_id=session), "NOTE_LOCKED")
    assert error["details"]["cause"] == "DEADLINE"
    assert notes_api.get(path).json()["lateness"] == "hold"
    unlock = notes_api.post(f"{path}/supervisor-override", notes_api.supervisor, reason="A new note is needed")
    assert unlock.status_code == 200, unlock.text
    assert notes_api.create_signed_note(appointment_id=session)["status"] == "SIGNED"


def test_a_struck_note_is_no_session_note_and_no_plan(client: TestClient, practice: PracticeFixture) -> None:
    notes_api, sessions_api = NotesApi(client, practice), SessionsApi(client, practice)
    session = notes_api.make_session(status="COMPLETED", status_at=NOW)
    free = strike(notes_api, notes_api.create_note())
    answer = sessions_api.put(session, 0, notes_api.clinician, noteId=UUID(free["id"]))
    assert_error(answer, "VALIDATION_ERROR", 422)
    plan = strike(notes_api, notes_api.create_note(type="TREATMENT_PLAN", sections={}))
    body = {"client_id": str(notes_api.client), "kind": "INDIVIDUAL", "note_id": plan["id"]}
    assert_error(notes_api.post("/treatment-plans", **body), "VALIDATION_ERROR", 422)
    safety = notes_api.create_signed_note(type="SAFETY_PLAN", sections=fill_sections("SAFETY_PLAN"))
    status = f"/clients/{notes_api.client}/safety-plan"
    assert notes_api.get(status).json()["signed_at"] == safety["signed_at"]
    strike(notes_api, safety)
    assert notes_api.get(status).json()["signed_at"] is None


def make_paid_session(payroll: PayrollScenario) -> tuple[UUID, UUID]:
    """Make a session whose signed note a closed week has paid, and return the session and the note."""
    session = payroll.add_session()
    payroll.close_week(LAST_WEEK, CUT_OFF)
    (note,) = (row.id for row in payroll.load_rows("notes"))
    return session, note


@pytest.fixture
def payroll(practice: PracticeFixture) -> PayrollScenario:
    return PayrollScenario(practice)


def strike_at(payroll: PayrollScenario, note_id: UUID, at: datetime) -> None:
    with payroll.practice.work(payroll.clinician, at) as work:
        mark_entered_in_error(work, note_id, WHY)


def test_pay_of_a_closed_week_is_adjusted_in_the_next(payroll: PayrollScenario) -> None:
    session, note = make_paid_session(payroll)
    struck_at = CUT_OFF + HOUR
    strike_at(payroll, note, struck_at)
    before = payroll.preview_week(LAST_WEEK + WEEK, NEXT_CUT_OFF, as_of=struck_at - timedelta(seconds=1))
    assert list_lines(before) == []
    week = payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    assert list_lines(week) == [("adjustment", session, -6050)]
    assert week.lines[0].reason == "VOIDED"
    # a new note, signed in time for a later week, brings the pay back
    payroll.sign(session, NEXT_CUT_OFF + HOUR)
    week = payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK)
    assert [(line.reason, line.amount_cents) for line in week.lines] == [("COUNTS_AGAIN", 6050)]
    assert payroll.load_oracle().compute_week(LAST_WEEK + 3 * WEEK, NEXT_CUT_OFF + 2 * WEEK).lines == []


def test_an_unpaid_session_waits_for_its_new_note(payroll: PayrollScenario) -> None:
    session = payroll.add_session()
    (note,) = (row.id for row in payroll.load_rows("notes"))
    strike_at(payroll, note, CUT_OFF - HOUR)
    as_known_before = payroll.preview_week(LAST_WEEK, CUT_OFF, as_of=CUT_OFF - 2 * HOUR)
    assert list_lines(as_known_before) == [("regular", session, 6050)]
    week = payroll.close_week(LAST_WEEK, CUT_OFF)
    assert (week.lines, [line.appointment_id for line in week.pending]) == ([], [session])
    payroll.sign(session, CUT_OFF + HOUR)
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("late", session, 6050)]
