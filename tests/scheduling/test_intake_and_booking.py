"""Intake forms that decline treatment, give an emergency contact, or come with a booking."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from practice.people.models.clients import IntakeForm
from practice.store.ids import new_id
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_client, make_portal_client, put
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
from tests.support.drivers.sample_requests.intake import ANSWERS

TEN = local(MONDAY, 10)
NO = {"consent_to_treatment": False, "confidentiality_agreement": True, "data_processing_consent": True, "terms": True}
NO |= {"signed_by_name": "Casey Example"}


def change_answers(step: str, **answers: Any) -> dict[str, dict[str, Any]]:
    return ANSWERS | {step: ANSWERS[step] | answers}


def complete_form(booking_api: BookingApi, by: Person, answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Fill in and complete a form of a portal client."""
    form = booking_api.post("/intake-forms", by, client_id=by.staff_id).json()
    for step, saved in answers.items():
        headers = booking_api.build_headers(by, If_Match=f'"{form["version"]}"')
        path = f"/api/v1/intake-forms/{form['id']}/steps/{step}"
        form = booking_api.http.put(path, json=saved, headers=headers).json()
    completed = booking_api.post(f"/intake-forms/{form['id']}/complete", by)
    assert completed.status_code == 200, completed.text
    return completed.json()


def load_declined_messages(booking_api: BookingApi) -> list[tuple[UUID, UUID]]:
    query = "select staff_id, about_id from messages where tenant_id = :tenant_id and kind = 'TREATMENT_DECLINED'"
    return [tuple(row) for row in booking_api.load_rows(query)]


def load_client(booking_api: BookingApi, client_id: UUID) -> Any:
    [row] = booking_api.load_rows("select * from clients where tenant_id = :tenant_id and id = :id", id=client_id)
    return row


def void_consents(booking_api: BookingApi, client_id: UUID) -> None:
    booking_api.write("update consents set voided_at = now() where client_id = :id", id=client_id)


# A "no" to treatment


@pytest.mark.parametrize("has_signed_before", [False, True])
def test_a_declined_treatment_is_marked_told_and_stops_booking(
    booking_api: BookingApi, has_signed_before: bool
) -> None:
    me = booking_api.add_portal_client()
    if not has_signed_before:
        void_consents(booking_api, me.staff_id)
    booked = booking_api.book_appointment(TEN, me)
    form = complete_form(booking_api, me, ANSWERS | {"agreements": NO})
    assert form["treatment_declined"] is True
    listed = booking_api.get("/intake-forms", client_id=me.staff_id).json()["items"]
    assert [item["treatment_declined"] for item in listed] == [True]
    timeline = booking_api.get(f"/clients/{me.staff_id}/timeline").json()["items"]
    assert "Intake form: completed, treatment declined" in [event["summary"] for event in timeline]
    assert load_declined_messages(booking_api) == [(booking_api.clinician.staff_id, me.staff_id)]
    booking_api.now += MINUTE
    for by in (me, booking_api.scheduler):
        client_id = None if by is me else me.staff_id
        refused = booking_api.book(TEN + DAY, by, client_id=client_id)
        assert_error(refused, "CONSENT_DECLINED")
        assert problem_codes(refused) == {"CONSENT_DECLINED"}
    booking_api.now = TEN  # the visit that was booked before needs a reason
    assert_error(booking_api.post_step(booked, "check-in"), "CONSENT_DECLINED")
    booking_api.take_step(booked, "check-in", consent_override_reason="Wants to talk about it first")
    signed = booking_api.post(f"/clients/{me.staff_id}/consents", kind="INFORMED_TREATMENT")
    assert signed.status_code == 201
    booking_api.now += MINUTE
    assert booking_api.book(TEN + DAY, client_id=me.staff_id).status_code == 201


def test_a_later_yes_allows_booking_again(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    complete_form(booking_api, me, ANSWERS | {"agreements": NO})
    booking_api.now += HOUR
    assert complete_form(booking_api, me, ANSWERS)["treatment_declined"] is False
    booking_api.now += HOUR
    assert booking_api.book(TEN, me).status_code == 201


def test_without_a_primary_clinician_the_admins_are_told(booking_api: BookingApi) -> None:
    practice = booking_api.practice
    unassigned = make_portal_client(practice)
    complete_form(booking_api, unassigned, ANSWERS | {"agreements": NO})
    assert load_declined_messages(booking_api) == [(practice.admin.staff_id, unassigned.staff_id)]
    former = practice.add("clinician")
    left = make_portal_client(practice, former)
    booking_api.write("update staff set deactivated_at = now() where id = :id", id=former.staff_id)
    complete_form(booking_api, left, ANSWERS | {"agreements": NO})
    assert load_declined_messages(booking_api)[1:] == [(practice.admin.staff_id, left.staff_id)]


# The emergency contact


@pytest.mark.parametrize(
    ("text", "name", "phone"),
    [
        ("Kim Example (mother), cell 404-555-0199", "Kim Example (mother)", "404-555-0199"),
        ("Kim Example", "Kin", "404-555-0101"),  # a new name without a number replaces nothing
    ],
)
def test_the_emergency_contact_reaches_the_record(booking_api: BookingApi, text: str, name: str, phone: str) -> None:
    me = booking_api.add_portal_client()
    complete_form(booking_api, me, change_answers("personal", emergency_contact=text))
    record = booking_api.get(f"/clients/{me.staff_id}").json()
    assert (record["emergency_contact_name"], record["emergency_contact_phone"]) == (name, phone)
    entries = booking_api.load_audit_entries("client.contact_changed")
    fields = [] if name == "Kin" else [["emergency_contact_name", "emergency_contact_phone"]]
    assert [entry.details["fields"] for entry in entries] == fields


def test_a_missing_emergency_contact_is_filled_in(booking_api: BookingApi) -> None:
    me = make_portal_client(booking_api.practice, emergency_contact_name=None)
    complete_form(booking_api, me, change_answers("personal", emergency_contact="Kim Example"))
    record = load_client(booking_api, me.staff_id)
    assert (record.emergency_contact_name, record.emergency_contact_phone) == ("Kim Example", "404-555-0101")


# A booking with intake answers


def test_a_booking_carries_a_complete_intake(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    void_consents(booking_api, me.staff_id)
    booked = booking_api.book(TEN, me, intake=ANSWERS, special_requests="Prefers a video call")
    assert booked.status_code == 201, booked.text
    answer = booked.json()
    assert (answer["reference"][:3], answer["payment_required"], answer["status"]) == ("BK-", True, "SCHEDULED")
    form = answer["intake_form"]
    assert (form["status"], form["appointment_id"]) == ("COMPLETED", answer["appointment"]["id"])
    stored = booking_api.get(f"/intake-forms/{form['id']}", me).json()
    for step, saved in ANSWERS.items():
        assert {name: stored[step][name] for name in saved} == saved
    consents = booking_api.get(f"/clients/{me.staff_id}/consents").json()["items"]
    assert {consent["kind"] for consent in consents} == {"INFORMED_TREATMENT", "CONFIDENTIALITY", "DATA_PROCESSING"}
    booking_api.now += HOUR
    assert booking_api.book(TEN + DAY, me).status_code == 201  # the consents of the intake count


def test_a_booking_carries_part_of_an_intake_as_a_draft(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    begun = booking_api.post("/intake-forms", me, client_id=me.staff_id).json()
    answer = booking_api.book(TEN, me, intake={"goals": ANSWERS["goals"]}).json()
    form = answer["intake_form"]
    assert (form["id"], form["status"], form["steps_saved"]) == (begun["id"], "DRAFT", ["goals"])
    assert form["appointment_id"] == answer["appointment"]["id"]
    assert booking_api.book(TEN + DAY, me).json()["intake_form"] is None


def test_an_intake_that_is_refused_books_nothing(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    no = booking_api.book(TEN, me, intake=ANSWERS | {"agreements": NO})
    assert_error(no, "CONSENT_DECLINED")
    child = make_portal_client(booking_api.practice, birth_date=date(2016, 4, 2), guardian_name="Pat Example")
    by_the_child = booking_api.book(TEN, child, intake=ANSWERS)
    assert "guardian" in assert_error(by_the_child, "VALIDATION_ERROR", 422)["message"]
    assert (booking_api.count("appointments"), booking_api.count("intake_forms")) == (0, 0)
    guardian = change_answers("agreements", signed_by_name="Pat Example")
    assert booking_api.book(TEN, child, intake=guardian).json()["intake_form"]["status"] == "COMPLETED"


def test_the_front_desk_sends_no_intake_answers(booking_api: BookingApi) -> None:
    client_id = make_client(booking_api.practice)
    assert_error(booking_api.book(TEN, client_id=client_id, intake=ANSWERS), "FORBIDDEN", 403)
    assert booking_api.count("appointments") == 0


def test_a_declined_treatment_of_an_older_form_stays_known(booking_api: BookingApi) -> None:
    """Check that a newer unfinished form does not hide the completed one."""
    client_id = make_client(booking_api.practice)
    at = booking_api.now - DAY
    common = {"client_id": client_id, "started_at": at, "saved_at": at}
    declined = {"status": "COMPLETED", "completed_at": at, "treatment_declined": True}
    put(booking_api.practice, IntakeForm(id=new_id(), **common, **declined))
    put(booking_api.practice, IntakeForm(id=new_id(), **common, status="DRAFT"))
    assert_error(booking_api.book(TEN, client_id=client_id), "CONSENT_DECLINED")
