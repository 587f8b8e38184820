"""A supervised clinician's day, over HTTP: visits, corrections, notes, review, an amendment and a note in error."""

from uuid import UUID

from fastapi.testclient import TestClient

from tests.support.builders.notes import SOAP
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, local
from tests.support.drivers.practice_day import SESSIONS, PracticeDay

WEEK = MONDAY - DAY  # its Sunday
NINE, TEN, ELEVEN = (local(MONDAY, hour) for hour in (9, 10, 11))
AFTER_DEADLINE = local(MONDAY + 14 * DAY, 9)


def test_the_day_of_a_supervised_clinician(client: TestClient, practice: PracticeFixture) -> None:
    day = PracticeDay(client, practice)
    clinician, supervisor, scheduler = day.clinician, day.supervisor, day.scheduler
    ana, ben = day.add_clients("Ana", "Ben")
    (stranger,) = day.add_clients("Cleo", clinician=day.colleague)

    # The front desk books the day, one visit for the wrong client. The chart is open until that visit is cancelled.
    first, second, wrong = (
        day.book_appointment(start, client_id=client_id)
        for start, client_id in ((NINE, ana), (TEN, ben), (ELEVEN, stranger))
    )
    day.call("GET", f"/clients/{stranger}", clinician)
    day.call("POST", f"/appointments/{wrong['id']}/cancel", scheduler, reason="The wrong client")
    day.refuse("NOT_FOUND", 404, "GET", f"/clients/{stranger}", clinician)
    day.now = NINE - 5 * MINUTE
    assert day.list_visits(clinician, MONDAY)[:2] == [("Ana Sample", "SCHEDULED"), ("Ben Sample", "SCHEDULED")]

    # The first visit: checked in, ready, started, completed with the beginning of its note.
    day.call("POST", f"/appointments/{first['id']}/check-in", scheduler)
    day.call("POST", f"/appointments/{first['id']}/ready", clinician)
    day.now = NINE
    day.call("POST", f"/appointments/{first['id']}/start", clinician)
    day.now = NINE + 55 * MINUTE
    draft = {"type": "SOAP_NOTE", "sections": {"subjective": "Slept badly."}}
    completed = day.call("POST", f"/appointments/{first['id']}/complete", clinician, clinical_note=draft)
    assert (completed["status"], completed["price"], completed["actual_minutes"]) == ("COMPLETED", "150.00", 55)
    (note,) = day.read_path("/notes", clinician, appointment_id=first["id"])["items"]

    # The second client is late. The front desk has already marked a no-show and takes it back.
    day.now = TEN + 15 * MINUTE
    path = f"/appointments/{second['id']}"
    day.call("POST", f"{path}/no-show", scheduler)
    day.call("POST", f"{path}/revert", scheduler, from_status="NO_SHOW", reason="Came a quarter late")
    for step, by in (("check-in", scheduler), ("start", clinician)):
        day.call("POST", f"{path}/{step}", by)
    day.now = TEN + HOUR
    day.call("POST", f"{path}/complete", clinician)
    history = day.read_path(f"{path}/status-history", scheduler)["items"]
    assert [item["status"] for item in history] == [
        *("SCHEDULED", "NO_SHOW", "SCHEDULED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED"),
    ]
    assert day.list_visits(clinician, MONDAY)[:2] == [("Ana Sample", "COMPLETED"), ("Ben Sample", "COMPLETED")]
    assert day.read_pay(WEEK) == ("0.00", "160.00")

    # Notes. A supervised clinician submits them, and the supervisor sees what waits.
    sections = SOAP | {"plan": "A diary of sleep."}
    note = day.call("PUT", f"/notes/{note['id']}", clinician, sections=sections, diagnoses=["F51.0"])
    day.refuse("REVIEW_NEEDED", 409, "POST", f"/notes/{note['id']}/sign", clinician)
    note = day.call("POST", f"/notes/{note['id']}/submit", clinician)
    other = day.write_note(second, "Come every week.")
    day.call("POST", f"/notes/{other['id']}/submit", clinician)
    assert day.list_waiting(supervisor) == [note["id"], other["id"]]
    day.now += HOUR
    day.call("POST", f"/notes/{note['id']}/co-sign", supervisor)
    day.call("POST", f"/notes/{other['id']}/return", supervisor, reason="Say since when")
    assert day.load_notifications(clinician)[-1] == "NOTE_RETURNED"
    returned = day.read_path(f"/notes/{other['id']}", clinician)
    assert (returned["status"], returned["review_returns"][0]["reason"]) == ("DRAFT", "Say since when")
    day.call("PUT", f"/notes/{other['id']}", clinician, sections=SOAP | {"plan": "Come every week since March."})
    day.call("POST", f"/notes/{other['id']}/submit", clinician)
    day.now += HOUR
    day.call("POST", f"/notes/{other['id']}/co-sign", supervisor)
    assert day.list_waiting(supervisor) == []
    assert day.read_pay(WEEK) == ("160.00", "0.00")

    # The next day. An amendment counts once the supervisor has signed it too.
    day.now = NINE + DAY
    change = {"sections": SOAP | {"plan": "A diary of sleep and coffee."}, "reason": "Coffee was left out"}
    amended = day.call("POST", f"/notes/{note['id']}/amend", clinician, **change)
    assert (amended["status"], amended["sections"][3]["text"]) == ("SIGNED", "A diary of sleep.")
    assert amended["in_review"]["sections"][3]["text"] == "A diary of sleep and coffee."
    assert [signer["signed_by_id"] for signer in amended["signatures"]] == [
        str(clinician.staff_id),
        str(supervisor.staff_id),
    ]
    assert day.load_notifications(supervisor)[-1] == "AMENDMENT_HANDED_IN"
    day.call("POST", f"/notes/{note['id']}/co-sign", supervisor)
    amended = day.read_path(f"/notes/{note['id']}", clinician)
    assert (amended["status"], amended["sections"][3]["text"]) == ("AMENDED", "A diary of sleep and coffee.")

    # The note about the second client is about somebody else. It stays, struck, and the session needs a new one.
    struck = day.call("POST", f"/notes/{other['id']}/entered-in-error", clinician, reason="About another client")
    assert struck["status"] == "ENTERED_IN_ERROR"
    assert day.load_notifications(supervisor)[-1] == "NOTE_ENTERED_IN_ERROR"
    assert day.read_pay(WEEK) == ("80.00", "80.00")
    day.now = AFTER_DEADLINE
    session = f"{SESSIONS}/{second['id']}"
    fields = day.read_path(session, clinician)
    assert (fields["isNoteSigned"], fields["isLocked"], fields["lockCause"]) == (False, True, "DEADLINE")
    new = {"client_id": str(ben), "type": "SOAP_NOTE", "appointment_id": second["id"], "sections": SOAP}
    error = day.refuse("NOTE_LOCKED", 409, "POST", "/notes", clinician, **new)
    assert "deadline" in error["message"]
    day.call("POST", f"{session}/supervisor-override", supervisor, reason="The note was about another client", hours=4)
    last = day.call("POST", "/notes", clinician, **new)
    day.call("POST", f"/notes/{last['id']}/submit", clinician)
    day.call("POST", f"/notes/{last['id']}/co-sign", supervisor)

    # What is stored in the end.
    statuses = {item["id"]: item["status"] for item in day.read_path("/notes", clinician)["items"]}
    assert statuses == {note["id"]: "AMENDED", other["id"]: "ENTERED_IN_ERROR", last["id"]: "SIGNED"}
    signatures = day.load_rows(
        "select note_id, version_number, kind, signed_by_id from note_signatures where tenant_id = :tenant_id"
        " order by signed_at, id"
    )
    by_author, by_supervisor = clinician.staff_id, supervisor.staff_id
    assert sorted(tuple(row)[1:] for row in signatures if row.note_id == UUID(note["id"])) == [
        (2, "AUTHOR", by_author),
        (2, "CO_SIGNATURE", by_supervisor),
        (3, "AMENDMENT", by_author),
        (3, "CO_SIGNATURE", by_supervisor),
    ]
    assert sorted(tuple(row)[1:] for row in signatures if row.note_id == UUID(other["id"])) == [
        (1, "AUTHOR", by_author),
        (2, "AUTHOR", by_author),
        (2, "CO_SIGNATURE", by_supervisor),
    ]
    for note_id in statuses:
        assert day.read_path(f"/notes/{note_id}/verification", clinician)["intact"]
    fields = day.read_path(session, clinician)
    assert (fields["isNoteSigned"], fields["noteId"], fields["paidWeek"]) == (True, last["id"], None)
    for week, expected in ((WEEK, [("regular", "80.00")]), (WEEK + 7 * DAY, [])):
        day.call("POST", f"/pay/periods/{week}/close", day.admin)
        path = f"{SESSIONS}/payment/calculation/{clinician.staff_id}"
        lines = day.read_path(path, clinician, week=week)["lines"]
        assert [(line["kind"], line["amount"]) for line in lines] == expected
    day.now = local(MONDAY + 21 * DAY, 1)
    day.call("POST", f"/pay/periods/{WEEK + 14 * DAY}/close", day.admin)
    path = f"{SESSIONS}/payment/calculation/{clinician.staff_id}"
    (line,) = day.read_path(path, clinician, week=WEEK + 14 * DAY)["lines"]
    assert (line["kind"], line["amount"], line["appointmentId"]) == ("late", "80.00", second["id"])
