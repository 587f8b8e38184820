"""A supervisor's day, over HTTP: review, late notes, locks, supervision hours, and a team that changes hands."""

from fastapi.testclient import TestClient

from tests.support.builders.notes import SOAP
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import DAY, HOUR, MONDAY, local
from tests.support.drivers.practice_day import SESSIONS, PracticeDay

NEXT_MONDAY = MONDAY + 14 * DAY  # when the notes of Monday's week are late


def test_the_day_of_a_supervisor(client: TestClient, practice: PracticeFixture) -> None:
    day = PracticeDay(client, practice)
    clinician, supervisor, admin = day.clinician, day.supervisor, day.admin
    clients = day.add_clients("Ana", "Ben", "Cleo", "Dan")
    visits = [
        day.book_appointment(local(MONDAY, 9 + number), client_id=client_id) for number, client_id in enumerate(clients)
    ]
    day.now = local(MONDAY, 18)
    for visit in visits:
        day.call("POST", f"/appointments/{visit['id']}/complete", clinician)
    notes = [day.write_note(visit, f"Plan {number}.") for number, visit in enumerate(visits)]

    # The supervisor reads drafts of the team, and nobody else's charts.
    assert day.read_path(f"/notes/{notes[0]['id']}", supervisor)["status"] == "DRAFT"
    day.refuse("NOT_FOUND", 404, "GET", f"/notes/{notes[0]['id']}", day.colleague)
    (foreign,) = day.add_clients("Eve", clinician=day.colleague)
    day.refuse("NOT_FOUND", 404, "GET", f"/clients/{foreign}", supervisor)

    # Two notes wait; one is co-signed, one returned.
    for note in notes[:2]:
        day.call("POST", f"/notes/{note['id']}/submit", clinician)
    assert day.load_notifications(supervisor) == ["NOTE_HANDED_IN"] * 2
    assert day.list_waiting(supervisor) == [note["id"] for note in notes[:2]]
    day.refuse("FORBIDDEN", 403, "POST", f"/notes/{notes[0]['id']}/co-sign", admin)
    day.call("POST", f"/notes/{notes[0]['id']}/co-sign", supervisor)
    day.call("POST", f"/notes/{notes[1]['id']}/return", supervisor, reason="The plan is too short")
    day.now += HOUR
    day.call("PUT", f"/notes/{notes[1]['id']}", clinician, sections=SOAP | {"plan": "A longer plan."})
    day.call("POST", f"/notes/{notes[1]['id']}/submit", clinician)

    # An amendment waits beside it, and both are co-signed in bulk.
    change = {"sections": SOAP | {"plan": "Another plan."}, "reason": "The plan has changed"}
    day.call("POST", f"/notes/{notes[0]['id']}/amend", clinician, **change)
    assert day.list_waiting(supervisor) == [note["id"] for note in notes[:2]]
    waiting = day.read_path(f"/notes/{notes[0]['id']}", supervisor)["in_review"]
    assert (waiting["kind"], waiting["sections"][3]["text"]) == ("AMENDMENT", "Another plan.")
    ids = [note["id"] for note in notes[:2]]
    results = day.call("POST", "/notes/bulk-co-sign", supervisor, note_ids=ids)["items"]
    assert [item["succeeded"] for item in results] == [True, True]
    assert [day.read_path(f"/notes/{note_id}", clinician)["status"] for note_id in ids] == ["AMENDED", "SIGNED"]

    # A session is locked by hand while the supervisor looks into it, and says so.
    held = f"{SESSIONS}/{visits[2]['id']}"
    locked = day.call("POST", f"{held}/lock-session", supervisor, reason="A complaint is open")
    assert (locked["lockCause"], locked["lockReason"]) == ("BY_HAND", "A complaint is open")
    error = day.refuse("NOTE_LOCKED", 409, "POST", f"/notes/{notes[2]['id']}/submit", clinician)
    assert error["message"].startswith("This session was locked by hand.")
    day.call("POST", f"{held}/supervisor-override", supervisor, reason="The complaint is settled")
    day.call("POST", f"/notes/{notes[2]['id']}/submit", clinician)
    day.call("POST", f"/notes/{notes[2]['id']}/co-sign", supervisor)

    # Two weeks later the last note is late. The supervisor unlocks its session for some hours.
    day.now = local(NEXT_MONDAY, 9)
    late = f"{SESSIONS}/{visits[3]['id']}"
    assert day.read_path(late, supervisor)["lockCause"] == "DEADLINE"
    day.refuse("NOTE_LOCKED", 409, "POST", f"/notes/{notes[3]['id']}/submit", clinician)
    day.call("POST", f"/notes/{notes[3]['id']}/unlock", supervisor, reason="Was ill", hours=3)
    day.call("POST", f"/notes/{notes[3]['id']}/submit", clinician)
    day.now += 2 * HOUR
    signed = day.call("POST", f"/notes/{notes[3]['id']}/co-sign", supervisor)
    assert signed["status"] == "SIGNED"
    fields = day.read_path(late, supervisor)
    assert (fields["isNoteSigned"], fields["supervisorOverrideReason"]) == (True, "Was ill")
    locks = day.load_rows("select kind, by_id from session_locks where tenant_id = :tenant_id order by at, id")
    assert [tuple(row) for row in locks] == [
        ("LOCKED", supervisor.staff_id),
        ("UNLOCKED", supervisor.staff_id),
        ("UNLOCKED", supervisor.staff_id),
    ]

    # Supervision: an hour and a half is recorded and signed. An APC needs two a month.
    day.now += HOUR
    body = {"supervisee_ids": [clinician.staff_id], "kind": "INDIVIDUAL", "hours": "1.5", "topics": ["Late notes"]}
    recorded = day.call(
        "POST", "/supervision-sessions", supervisor, held_at=day.now - 2 * HOUR, note="We spoke of late notes.", **body
    )
    (session,) = recorded["items"]
    assert day.call("POST", f"/supervision-sessions/{session['id']}/sign", supervisor)["note_signed_at"]
    for person in (supervisor, clinician):
        hours = day.read_path(f"/staff/{clinician.staff_id}/supervision-hours", person, month="2026-04")
        assert (hours["required"], float(hours["held"]), float(hours["missing"])) == (2, 1.5, 0.5)
    assert day.read_path(f"/supervision-sessions/{session['id']}", clinician)["note"] == "We spoke of late notes."

    # The supervisor leaves. The answer names who needs another, and only a supervisor can take over.
    left = day.call("POST", f"/staff/{supervisor.staff_id}/deactivate", admin, left_on=day.now.date())
    assert [person["id"] for person in left["supervisees"]] == [str(clinician.staff_id)]
    path = f"/staff/{clinician.staff_id}"
    for wrong in (day.colleague, admin):
        day.refuse("VALIDATION_ERROR", 422, "PATCH", path, admin, supervisor_id=wrong.staff_id)
    successor = practice.add("supervisor")
    day.call("PATCH", path, admin, supervisor_id=successor.staff_id)
    again = {"sections": SOAP | {"plan": "One more plan."}, "reason": "The plan has changed again"}
    day.call("POST", f"/notes/{notes[0]['id']}/amend", clinician, **again)
    assert day.load_notifications(successor) == ["AMENDMENT_HANDED_IN"]
    day.call("POST", f"/notes/{notes[0]['id']}/co-sign", successor)
    versions = day.read_path(f"/notes/{notes[0]['id']}/history", clinician)["versions"]
    signers = [[signer["signed_by_id"] for signer in version["signatures"]] for version in versions]
    author = str(clinician.staff_id)
    assert signers == [[author, str(supervisor.staff_id)]] * 2 + [[author, str(successor.staff_id)]]
    for note in notes:
        assert day.read_path(f"/notes/{note['id']}/verification", successor)["intact"]
