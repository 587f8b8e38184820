"""Statuses set by mistake, taken back with a reason while unpaid: check-in, start, no-show, completion, void."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.billing.models.charges import Charge
from practice.payroll.rates import set_pay_rate
from practice.scheduling.appointments.rules.lifecycle import find_status_before
from practice.store.ids import new_id
from tests.support.builders.notes import make_note
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, put
from tests.support.builders.sessions import pay_session
from tests.support.drivers.booking import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    BookingApi,
    assert_error,
    local,
    problem_codes,
)
from tests.support.drivers.payroll import (
    PayrollScenario,
)
from tests.support.drivers.sessions import THIS_WEEK, TUESDAY, SessionsApi

TEN = local(MONDAY, 10)
WHY = {"reason": "The wrong client"}


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)


@pytest.fixture
def payroll(practice: PracticeFixture) -> PayrollScenario:
    return PayrollScenario(practice)


def revert(api: BookingApi, visit: dict[str, Any], from_status: str, by: Person | None = None) -> Any:
    return api.post_step(visit, "revert", by, from_status=from_status, **WHY)


def list_history(api: BookingApi, visit: dict[str, Any]) -> list[tuple[str, str | None]]:
    items = api.get(f"/appointments/{visit['id']}/status-history").json()["items"]
    return [(item["status"], item["note"]) for item in items]


def load_messages(api: BookingApi, kind: str) -> list[str]:
    query = "select status from messages where tenant_id = :tenant_id and kind = :kind order by due_at"
    return [row.status for row in api.load_rows(query, kind=kind)]


@pytest.mark.parametrize(
    ("statuses", "before"),
    [
        ([], "SCHEDULED"),
        (["COMPLETED"], "SCHEDULED"),  # imported, and completed here
        (["SCHEDULED", "CONFIRMED", "CHECKED_IN"], "CONFIRMED"),
        (["SCHEDULED", "CHECKED_IN", "SCHEDULED", "NO_SHOW"], "SCHEDULED"),
        (["SCHEDULED", "CONFIRMED", "NO_SHOW", "CONFIRMED", "CHECKED_IN", "COMPLETED"], "CHECKED_IN"),
        (["SCHEDULED", "CHECKED_IN", "COMPLETED", "CHECKED_IN", "COMPLETED", "CHECKED_IN"], "SCHEDULED"),
    ],
)
def test_the_status_before_ignores_what_was_taken_back(statuses: list[str], before: str) -> None:
    assert find_status_before(statuses) == before


@pytest.mark.parametrize(("step", "status"), [("check-in", "CHECKED_IN"), ("no-show", "NO_SHOW")])
def test_an_imported_visit_goes_back_to_confirmed(booking_api: BookingApi, step: str, status: str) -> None:
    values = {"status": "CONFIRMED", "status_at": booking_api.now, "external_id": "A1"}
    api = booking_api
    visit = {"id": make_appointment(api.practice, api.clinician, api.client, api.service, TEN, **values)}
    booking_api.now = TEN
    for _ in range(2):
        booking_api.take_step(visit, step)
        assert revert(booking_api, visit, status).json()["status"] == "CONFIRMED"
    assert [name for name, _ in list_history(booking_api, visit)] == ["CONFIRMED", *[status, "CONFIRMED"] * 2]


def test_a_check_in_is_taken_back(booking_api: BookingApi) -> None:
    api = booking_api
    visit = api.book_appointment(TEN)
    api.take_step(visit, "confirm")
    api.now = TEN - 5 * MINUTE
    api.take_step(visit, "check-in")
    reminders = load_messages(api, "REMINDER")
    assert set(reminders) == {"CANCELLED"}
    reverted = revert(api, visit, "CHECKED_IN").json()
    assert (reverted["status"], reverted["arrived_at"], reverted["version"]) == ("CONFIRMED", None, 4)
    history = [("SCHEDULED", None), ("CONFIRMED", None), ("CHECKED_IN", None), ("CONFIRMED", WHY["reason"])]
    assert list_history(api, visit) == history
    (entry,) = api.load_audit_entries("appointment.reverted")
    assert (entry.account_id, entry.details) == (
        api.scheduler.account_id,
        {"from_status": "CHECKED_IN", "to_status": "CONFIRMED"},
    )
    assert load_messages(api, "REMINDER") == reminders  # nothing is sent again
    assert_error(revert(api, visit, "CHECKED_IN"), "WRONG_STATUS")  # a second click changes nothing
    assert list_history(api, visit) == history
    api.take_step(visit, "check-in")
    api.now = TEN
    api.take_step(visit, "start")
    assert revert(api, visit, "IN_PROGRESS").json()["status"] == "CHECKED_IN"
    reverted = revert(api, visit, "CHECKED_IN").json()
    assert (reverted["status"], reverted["started_at"], reverted["arrived_at"]) == ("CONFIRMED", None, None)


def test_only_the_desk_admins_and_the_clinician_take_a_status_back(booking_api: BookingApi) -> None:
    api, practice = booking_api, booking_api.practice
    supervisor = practice.add("supervisor")
    for by, status, code in (
        (practice.admin, 200, None),
        (api.scheduler, 200, None),
        (api.clinician, 200, None),
        (supervisor, 403, "FORBIDDEN"),
        (practice.add("biller"), 403, "FORBIDDEN"),
        (api.add_portal_client(), 403, "FORBIDDEN"),
        (practice.add("clinician"), 404, "NOT_FOUND"),
    ):
        api.now = TEN - DAY
        visit = api.book_appointment(TEN + MINUTE * 60 * len(load_messages(api, "BOOKED")))
        api.now = TEN
        api.take_step(visit, "check-in")
        answer = revert(api, visit, "CHECKED_IN", by)
        assert (answer.status_code, answer.json().get("error", {}).get("code")) == (status, code), by.roles
    for wrong in (
        *({}, {"from_status": "CHECKED_IN"}, {"from_status": "CHECKED_IN", "reason": " "}),
        *({"from_status": name} | WHY for name in ("SCHEDULED", "CONFIRMED", "CANCELLED", "RESCHEDULED")),
    ):
        assert api.post_step(visit, "revert", **wrong).status_code == 422


def test_a_no_show_takes_its_time_again(booking_api: BookingApi) -> None:
    api = booking_api
    visit = api.book_appointment(TEN, room_id=api.room)
    taken = api.list_occupancies()
    api.now = TEN + 20 * MINUTE
    api.take_step(visit, "no-show")
    assert (api.list_occupancies(), load_messages(api, "NO_SHOW_FOLLOW_UP")) == (set(), ["PLANNED"])
    reverted = revert(api, visit, "NO_SHOW").json()
    assert (reverted["status"], api.list_occupancies()) == ("SCHEDULED", taken)
    assert load_messages(api, "NO_SHOW_FOLLOW_UP") == ["CANCELLED"]  # nobody is notified that they did not come
    assert api.take_step(visit, "check-in")["appointment"]["status"] == "CHECKED_IN"
    # the client did not come after all, and is notified once
    revert(api, visit, "CHECKED_IN")
    api.take_step(visit, "no-show")
    assert load_messages(api, "NO_SHOW_FOLLOW_UP") == ["PLANNED"]


def test_without_consents_a_no_show_is_no_second_open_visit(booking_api: BookingApi) -> None:
    api = booking_api
    unsigned = make_client(api.practice, api.clinician)
    api.write("update consents set voided_at = now() where client_id = :id", id=unsigned)
    visit = api.book_appointment(TEN, client_id=unsigned)
    api.now = TEN + 20 * MINUTE
    api.take_step(visit, "no-show")
    other = api.book_appointment(TEN + 2 * HOUR, client_id=unsigned)
    answer = revert(api, visit, "NO_SHOW")
    assert_error(answer, "CONSENT_MISSING")
    assert api.read(visit)["status"] == "NO_SHOW"
    api.take_step(other, "cancel", reason="A mistake")
    assert revert(api, visit, "NO_SHOW").json()["status"] == "SCHEDULED"


def test_a_no_show_whose_time_is_taken_stays_one(booking_api: BookingApi) -> None:
    api = booking_api
    visit = api.book_appointment(TEN + HOUR, room_id=api.room)
    api.now = TEN + HOUR
    api.take_step(visit, "no-show")
    other = api.book_appointment(TEN + HOUR, client_id=make_client(api.practice, api.clinician))
    answer = revert(api, visit, "NO_SHOW")
    assert_error(answer, "SLOT_TAKEN")
    assert (problem_codes(answer), api.read(visit)["status"]) == ({"SLOT_TAKEN"}, "NO_SHOW")
    assert answer.json()["error"]["details"]["alternatives"]
    assert load_messages(api, "NO_SHOW_FOLLOW_UP") == ["PLANNED"]
    api.take_step(other, "cancel", reason="A mistake")
    assert revert(api, visit, "NO_SHOW").json()["status"] == "SCHEDULED"


def test_a_no_show_of_a_group_takes_its_seat_again(booking_api: BookingApi) -> None:
    api = booking_api
    make_service(api.practice, "CIRCLE", kind="GROUP", capacity=2)
    first = api.book_appointment(TEN, service_code="CIRCLE", room_id=api.room)
    group = first["group_session_id"]
    clients = [make_client(api.practice, api.clinician) for _ in range(2)]
    seat = {"clinician_id": None, "service_code": "CIRCLE", "group_session_id": group, "starts_at": None}
    second = api.post("/appointments", **api.booking_body(TEN, **seat | {"client_id": clients[0]})).json()
    api.now = TEN
    api.take_step(first, "no-show")
    third = api.post("/appointments", **api.booking_body(TEN, **seat | {"client_id": clients[1]}))
    assert third.status_code == 201, third.text
    assert_error(revert(api, first, "NO_SHOW"), "GROUP_FULL")
    api.take_step(third.json()["appointment"], "cancel", reason="A mistake")
    assert revert(api, first, "NO_SHOW").json()["status"] == "SCHEDULED"
    assert second["appointment"]["group_session_id"] == group


# Completions


def load_corrections(api: BookingApi | SessionsApi) -> list[Any]:
    return api.load_rows("select * from session_corrections where tenant_id = :tenant_id order by at, id")


def test_a_completion_is_taken_back_and_made_again(booking_api: BookingApi) -> None:
    api = booking_api
    sessions = SessionsApi(api.http, api.practice)
    with api.practice.work() as work:
        set_pay_rate(work, api.clinician.staff_id, 8000, None)
    visit = api.book_appointment(TEN)
    session = UUID(visit["id"])
    api.now = sessions.now = TEN + HOUR
    completed = api.take_step(visit, "complete", actual_minutes=55)
    assert (completed["price"], completed["actual_minutes"]) == ("150.00", 55)
    assert sessions.read(session)["calculatedAmount"] == "80.00"
    first_at, api.now = api.now, TEN + 2 * HOUR
    sessions.now = api.now
    reverted = revert(api, visit, "COMPLETED", api.clinician).json()
    assert (reverted["status"], reverted["price"], reverted["actual_minutes"]) == ("SCHEDULED", None, None)
    assert_error(sessions.get(f"/{session}"), "NOT_FOUND", 404)
    row = sessions.load_completions()[session]
    assert (row.voided_at, row.void_reason) == (api.now, WHY["reason"])
    (correction,) = load_corrections(api)
    assert (correction.undone, correction.since, correction.at) == ("COMPLETION", first_at, api.now)
    assert correction.account_id == api.clinician.account_id
    assert_error(sessions.post(f"/{session}/restore", **WHY), "WRONG_STATUS")
    assert_error(sessions.post(appointmentId=session), "WRONG_STATUS")

    # completed again it has the present price and counts, and the void stays on record
    sessions.load_rows(
        "update services set minutes = 90 where tenant_id = :tenant_id and id = :id returning id", id=api.service
    )
    api.now = sessions.now = TEN + 3 * HOUR
    assert api.take_step(visit, "complete")["status"] == "COMPLETED"
    fields = sessions.read(session)
    assert (fields["durationMinutes"], fields["calculatedAmount"], fields["voidReason"]) == (90, "120.00", None)
    void = load_corrections(api)[1]
    assert (void.undone, void.since, void.at, void.void_reason) == ("VOID", first_at + HOUR, api.now, WHY["reason"])
    assert [status for status, _ in list_history(api, visit)] == ["SCHEDULED", "COMPLETED", "SCHEDULED", "COMPLETED"]


def test_a_completion_taken_back_lists_the_notes_that_stay_signed(booking_api: BookingApi) -> None:
    api = booking_api
    visit, other = (api.book_appointment(TEN + number * HOUR) for number in range(2))
    api.now = TEN + 2 * HOUR
    note = {"client_id": api.client, "type": "SOAP_NOTE", "now": api.now}
    ids = {}
    for name, session, status in (("signed", visit, "SIGNED"), ("draft", visit, "DRAFT"), ("other", other, "SIGNED")):
        api.take_step(session, "complete") if name != "draft" else None
        values = note | {"appointment_id": UUID(session["id"]), "status": status}
        ids[name] = make_note(api.practice, api.clinician, **values)
    reverted = revert(api, visit, "COMPLETED", api.practice.admin).json()
    assert (reverted["status"], reverted["signed_note_ids"]) == ("SCHEDULED", [str(ids["signed"])])
    path = f"/notes/{ids['signed']}/entered-in-error"
    assert api.post(path, api.clinician, **WHY).status_code == 200
    api.take_step(visit, "complete")
    assert revert(api, visit, "COMPLETED", api.clinician).json()["signed_note_ids"] == []


def test_a_completion_is_not_taken_back_once_it_is_paid_or_charged(booking_api: BookingApi) -> None:
    api = booking_api
    paid, charged = (api.book_appointment(TEN + number * HOUR) for number in range(2))
    api.now = TEN + 2 * HOUR
    for visit in (paid, charged):
        api.take_step(visit, "complete")
    pay_session(api.practice, UUID(paid["id"]), date(2026, 3, 22))
    charge = Charge(id=new_id(), client_id=api.client, clinician_id=api.clinician.staff_id, service_date=MONDAY)
    charge.cpt_code, charge.units, charge.amount_cents = "90837", 1, 15000
    charge.appointment_id, charge.created_at = UUID(charged["id"]), api.now
    put(api.practice, charge)
    assert_error(revert(api, paid, "COMPLETED", api.practice.admin), "SESSION_PAID")
    assert_error(revert(api, charged, "COMPLETED", api.practice.admin), "SESSION_CHARGED")
    for visit in (paid, charged):
        assert (api.read(visit)["status"], api.read(visit)["price"]) == ("COMPLETED", "150.00")
    assert load_corrections(api) == []


def test_the_desk_cannot_take_a_completion_back(booking_api: BookingApi) -> None:
    """It voids a session, which the front desk cannot do either."""
    api = booking_api
    visit = api.book_appointment(TEN)
    api.now = TEN + HOUR
    api.take_step(visit, "complete")
    assert_error(revert(api, visit, "COMPLETED", api.scheduler), "FORBIDDEN", 403)
    # also not of another clinician's session by somebody who is both
    both = api.practice.add("scheduler", "clinician")
    assert_error(revert(api, visit, "COMPLETED", both), "NOT_FOUND", 404)
    assert api.read(visit)["status"] == "COMPLETED"
    assert revert(api, visit, "COMPLETED", api.practice.admin).status_code == 200


# Voids


def test_a_void_is_restored_with_a_reason(client: TestClient, practice: PracticeFixture) -> None:
    api = SessionsApi(client, practice)
    session = api.add_session(signed_at=TUESDAY + HOUR)
    assert_error(api.post(f"/{session}/restore", **WHY), "SESSION_NOT_VOIDED")
    voided_at = api.now
    assert api.delete(session).status_code == 204
    api.now += HOUR
    restored = api.post(f"/{session}/restore", api.clinician, **WHY)
    assert restored.status_code == 200, restored.text
    assert (restored.json()["voidReason"], restored.json()["calculatedAmount"]) == (None, "80.00")
    assert (api.list_ids(), api.list_ids(voided=True)) == ([session], [])
    (row,) = load_corrections(api)
    assert (row.undone, row.since, row.at, row.account_id) == ("VOID", voided_at, api.now, api.clinician.account_id)
    assert (row.voided_by, row.void_reason) == (api.admin.account_id, "Entered twice")
    assert WHY["reason"].encode() not in bytes(row.reason)
    with practice.work() as work:
        assert work.unseal("session_corrections", "reason", row.id, row.reason) == WHY["reason"]
    assert [entry.subject_id for entry in api.load_audit_entries("session_completion.restored")] == [session]
    assert api.delete(session).status_code == 204  # and voided again
    assert api.list_ids(voided=True) == [session]


def test_who_may_void_may_restore_and_only_an_admin_once_it_is_paid(
    client: TestClient, practice: PracticeFixture
) -> None:
    api = SessionsApi(client, practice)
    session, paid = api.add_session(clinician=api.other), api.add_session(signed_at=TUESDAY + HOUR)
    api.delete(session)
    for person in (api.scheduler, api.biller, api.analyst, api.client):
        assert_error(api.post(f"/{session}/restore", person, **WHY), "FORBIDDEN", 403)
    for person in (api.clinician, api.supervisor):
        assert_error(api.post(f"/{session}/restore", person, **WHY), "NOT_FOUND", 404)
    assert_error(api.post(f"/{session}/restore"), "VALIDATION_ERROR", 422)
    pay_session(practice, paid, THIS_WEEK, 8000)
    assert api.post(f"/{paid}/reverse", reason="Never took place").status_code == 204
    assert_error(api.post(f"/{paid}/restore", api.clinician, **WHY), "SESSION_PAID")
    assert set(api.list_ids(voided=True)) == {session, paid}
    assert api.post(f"/{paid}/restore", **WHY).status_code == 200
    assert api.list_ids(voided=True) == [session]
