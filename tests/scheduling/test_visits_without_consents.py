"""Visits of clients without the consents due: one open visit, and refusals at check-in and completion."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from practice.people.models.clients import Consent
from practice.scheduling.appointments import lifecycle
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.builders.schedule import make_appointment, make_client, put
from tests.support.drivers.booking import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    BookingApi,
    assert_error,
    local,
    parse_instant,
    problem_codes,
)
from tests.support.drivers.waiting import collide

TEN = local(MONDAY, 10)
WEEK = 7 * DAY
CHILD = date(2016, 4, 2)
REASON = {"consent_override_reason": "The guardian signs after the visit"}


def make_unsigned_client(booking_api: BookingApi, **fields: Any) -> UUID:
    """Make a client who has never signed anything."""
    client_id = make_client(booking_api.practice, booking_api.clinician, **fields)
    booking_api.write("update consents set voided_at = now() where client_id = :id", id=client_id)
    return client_id


def sign(booking_api: BookingApi, client_id: UUID, *kinds: str, **fields: Any) -> None:
    for kind in kinds:
        values = {"kind": kind, "signed_at": booking_api.now - HOUR, "signed_by_name": "Pat Example"} | fields
        put(booking_api.practice, Consent(id=new_id(), client_id=client_id, **values))


def book_series(booking_api: BookingApi, client_id: UUID, count: int = 20, **fields: Any) -> Any:
    body = booking_api.booking_body(TEN, client_id=client_id, rule=f"FREQ=WEEKLY;COUNT={count}", **fields)
    return booking_api.post("/appointments/series", **body)


def preview(booking_api: BookingApi, client_id: UUID, start: Any = TEN) -> dict[str, Any]:
    return booking_api.post("/appointments/preview", **booking_api.booking_body(start, client_id=client_id)).json()


# Booking


def test_a_series_without_consents_is_refused(booking_api: BookingApi) -> None:
    child = make_unsigned_client(booking_api, birth_date=CHILD, guardian_name="Pat Example")
    refused = book_series(booking_api, child)
    error = assert_error(refused, "CONSENT_MISSING")
    assert [occurrence["free"] for occurrence in error["details"]["occurrences"]] == [True] + [False] * 19
    assert "informed consent and the guardian's consent" in error["message"]
    assert booking_api.count("appointments") == 0
    sign(booking_api, child, "INFORMED_TREATMENT")
    assert problem_codes(book_series(booking_api, child)) == {"CONSENT_MISSING"}  # the guardian's is still due
    sign(booking_api, child, "GUARDIAN")
    assert book_series(booking_api, child).status_code == 201


def test_a_series_that_skips_conflicts_books_the_first_possible_visit_only(booking_api: BookingApi) -> None:
    client_id = make_unsigned_client(booking_api)
    booking_api.block(TEN, TEN + HOUR, clinician_id=booking_api.clinician.staff_id)
    occurrences = book_series(booking_api, client_id, 4, skip_conflicts=True).json()["occurrences"]
    assert [occurrence["status"] for occurrence in occurrences] == ["skipped", "booked", "skipped", "skipped"]
    assert [{problem["code"] for problem in occurrence["problems"]} for occurrence in occurrences] == [
        *({"SLOT_TAKEN"}, set(), {"CONSENT_MISSING"}, {"CONSENT_MISSING"})
    ]


def test_without_consents_one_visit_is_open_at_a_time(booking_api: BookingApi) -> None:
    client_id = make_unsigned_client(booking_api)
    first = booking_api.book_appointment(TEN, client_id=client_id)
    assert [problem["code"] for problem in preview(booking_api, client_id, TEN + DAY)["problems"]] == [
        "CONSENT_MISSING"
    ]
    assert_error(booking_api.book(TEN + DAY, client_id=client_id), "CONSENT_MISSING")
    [moved] = booking_api.take_step(first, "reschedule", starts_at=TEN + HOUR)["items"]  # opens no further visit
    booking_api.take_step(moved, "cancel", reason="Ill")
    again = booking_api.book_appointment(TEN + DAY, client_id=client_id)
    booking_api.now = TEN + DAY
    booking_api.take_step(again, "check-in")
    assert_error(booking_api.book(TEN + 2 * DAY, client_id=client_id), "CONSENT_MISSING")
    booking_api.now += HOUR
    sign(booking_api, client_id, "INFORMED_TREATMENT")
    booking_api.book_appointment(TEN + 2 * DAY, client_id=client_id)


def test_two_concurrent_bookings_open_one_visit(booking_api: BookingApi) -> None:
    client_id = make_unsigned_client(booking_api)
    clinicians = [booking_api.clinician, booking_api.add_clinician()]

    def book_with(number: int) -> Any:
        request = BookingRequest(client_id, clinicians[number].staff_id, "TALK", TEN + number * DAY)
        return lambda work: book(work, request) and None

    error = collide(booking_api.practice, book_with(0), book_with(1)).exception()
    assert getattr(error, "code", None) == "CONSENT_MISSING"
    assert booking_api.count("appointments") == 1


# Warnings


def test_a_consent_that_ends_before_the_visit_warns(booking_api: BookingApi) -> None:
    child = make_unsigned_client(booking_api, birth_date=CHILD, guardian_name="Pat Example")
    sign(booking_api, child, "INFORMED_TREATMENT", expires_on=MONDAY + WEEK)
    sign(booking_api, child, "GUARDIAN")
    assert preview(booking_api, child)["warnings"] == []
    for warnings in (
        preview(booking_api, child, TEN + WEEK)["warnings"],
        booking_api.book(TEN + WEEK, client_id=child).json()["warnings"],
    ):
        assert warnings == [
            "The informed consent ends on 2026-03-30, before the visit on 2026-03-30. Ask for a new one."
        ]
    series = book_series(booking_api, child, 60, skip_conflicts=True).json()
    assert [(warning.partition(" ends")[0], "before" in warning) for warning in series["warnings"]] == [
        ("The informed consent", True),
        ("The guardian's consent", True),  # within the year that the series lasts
    ]


def test_a_booking_without_consents_warns(booking_api: BookingApi) -> None:
    client_id = make_unsigned_client(booking_api)
    assert ["not signed" in warning for warning in preview(booking_api, client_id)["warnings"]] == [True]
    booked = booking_api.book(TEN, client_id=client_id).json()
    assert ["not signed" in warning for warning in booked["warnings"]] == [True]


# Check-in and completion


def make_later_visit(booking_api: BookingApi, **fields: Any) -> tuple[UUID, dict[str, Any]]:
    """Make a client who has been here once, book a visit now, and void all consents."""
    client_id = make_client(booking_api.practice, booking_api.clinician, **fields)
    past = {"status": "COMPLETED", "status_at": booking_api.now, "guarded": False}
    start = booking_api.now - 30 * DAY
    make_appointment(booking_api.practice, booking_api.clinician, client_id, booking_api.service, start, **past)
    booked = booking_api.book_appointment(TEN, client_id=client_id)
    booking_api.write("update consents set voided_at = now() where client_id = :id", id=client_id)
    booking_api.now = TEN
    return client_id, booked


@pytest.mark.parametrize("action", ["check-in", "complete"])
def test_a_later_visit_without_consents_needs_a_reason(booking_api: BookingApi, action: str) -> None:
    client_id, booked = make_later_visit(booking_api, birth_date=CHILD)
    error = assert_error(booking_api.post_step(booked, action), "CONSENT_MISSING")
    assert "`consent_override_reason`" in error["message"]
    assert booking_api.read(booked)["status"] == "SCHEDULED"
    sign(booking_api, client_id, "INFORMED_TREATMENT")
    assert "guardian" in assert_error(booking_api.post_step(booked, action), "CONSENT_MISSING")["message"]
    assert_error(booking_api.post_step(booked, action, consent_override_reason="x"), "VALIDATION_ERROR", 422)
    by = booking_api.clinician  # as anybody who may change the status
    result = booking_api.take_step(booked, action, by, **REASON)
    [entry] = booking_api.load_audit_entries("appointment.consent_overridden")
    assert (entry.account_id, str(entry.subject_id)) == (by.account_id, booked["id"])
    assert entry.details == {"problems": ["CONSENT_MISSING"]}
    *_, step = booking_api.get(f"/appointments/{booked['id']}/status-history").json()["items"]
    assert {name: step[name] for name in REASON} == REASON
    if action == "check-in":
        assert ["guardian" in item for item in result["outstanding_items"]] == [True]
        booking_api.take_step(booked, "complete")  # is not asked again
        assert len(booking_api.load_audit_entries("appointment.consent_overridden")) == 1


@pytest.mark.parametrize(
    ("fields", "code"), [({"expires_on": MONDAY}, "CONSENT_LAPSED"), ({"revoked_at": TEN - MINUTE}, "CONSENT_REVOKED")]
)
def test_a_consent_that_ended_after_the_booking_refuses(
    booking_api: BookingApi, fields: dict[str, Any], code: str
) -> None:
    client_id, booked = make_later_visit(booking_api)
    sign(booking_api, client_id, "INFORMED_TREATMENT", **fields)
    assert_error(booking_api.post_step(booked, "check-in"), code)
    sign(booking_api, client_id, "INFORMED_TREATMENT", signed_at=TEN - MINUTE)
    assert booking_api.take_step(booked, "check-in")["outstanding_items"] == []


def test_a_visit_recorded_late_counts_the_consent_of_its_day(booking_api: BookingApi) -> None:
    client_id, booked = make_later_visit(booking_api)
    sign(booking_api, client_id, "INFORMED_TREATMENT", expires_on=MONDAY + DAY)
    booking_api.now = TEN + 2 * DAY
    booking_api.take_step(booked, "complete")


def test_the_first_visit_takes_place_without_consents_and_the_second_does_not(booking_api: BookingApi) -> None:
    client_id = make_unsigned_client(booking_api)
    people = (booking_api.practice, booking_api.clinician, client_id, booking_api.service)
    first, second = make_appointment(*people, TEN), make_appointment(*people, TEN + HOUR)  # booked by an import
    booking_api.now = TEN
    items = booking_api.take_step(str(first), "check-in")["outstanding_items"]
    assert ["informed consent" in item for item in items] == [True]
    assert_error(booking_api.post_step(second, "check-in"), "CONSENT_MISSING")
    bulk = booking_api.post("/appointments/bulk", action="check-in", appointment_ids=[second]).json()["items"]
    assert [result["code"] for result in bulk] == ["CONSENT_MISSING"]
    booking_api.take_step(str(first), "complete")
    booking_api.now = TEN + HOUR
    assert_error(booking_api.post_step(second, "complete"), "CONSENT_MISSING")
    done = booking_api.take_step(str(second), "complete", **REASON)
    assert parse_instant(done["status_at"]) == TEN + HOUR


def test_two_visits_cannot_both_be_the_first(booking_api: BookingApi) -> None:
    client_id = make_unsigned_client(booking_api)
    people = (booking_api.practice, booking_api.clinician, client_id, booking_api.service)
    first, second = make_appointment(*people, TEN), make_appointment(*people, TEN + HOUR)
    booking_api.practice.now = TEN
    error = collide(
        booking_api.practice,
        lambda work: lifecycle.check_in(work, Scope.ALL, first),
        lambda work: lifecycle.check_in(work, Scope.ALL, second),
    ).exception()
    assert getattr(error, "code", None) == "CONSENT_MISSING"


@pytest.mark.parametrize("step", ["start", "complete"])
def test_a_consent_that_is_revoked_while_the_client_waits_refuses(booking_api: BookingApi, step: str) -> None:
    client_id, booked = make_later_visit(booking_api)
    sign(booking_api, client_id, "INFORMED_TREATMENT")
    booking_api.now = TEN - 20 * MINUTE
    booking_api.take_step(booked, "check-in")
    (consent,) = booking_api.get(f"/clients/{client_id}/consents").json()["items"]
    assert booking_api.post(f"/consents/{consent['id']}/revoke").status_code == 200
    booking_api.now = TEN
    assert_error(booking_api.post_step(booked, step), "CONSENT_REVOKED")
    booking_api.take_step(booked, step, **REASON)
    assert len(booking_api.load_audit_entries("appointment.consent_overridden")) == 1


def test_a_revocation_during_the_session_does_not_end_it(booking_api: BookingApi) -> None:
    client_id, booked = make_later_visit(booking_api)
    sign(booking_api, client_id, "INFORMED_TREATMENT")
    booking_api.take_step(booked, "check-in")
    booking_api.take_step(booked, "start")
    (consent,) = booking_api.get(f"/clients/{client_id}/consents").json()["items"]
    booking_api.post(f"/consents/{consent['id']}/revoke")
    booking_api.now = TEN + 50 * MINUTE
    booking_api.take_step(booked, "complete")


def test_a_consent_that_is_revoked_after_the_planned_start_refuses_too(booking_api: BookingApi) -> None:
    client_id, booked = make_later_visit(booking_api)
    sign(booking_api, client_id, "INFORMED_TREATMENT")
    booking_api.now = TEN + 5 * MINUTE
    (consent,) = booking_api.get(f"/clients/{client_id}/consents").json()["items"]
    assert booking_api.post(f"/consents/{consent['id']}/revoke").status_code == 200
    booking_api.now = TEN + 6 * MINUTE
    assert_error(booking_api.post_step(booked, "check-in"), "CONSENT_REVOKED")
    booking_api.now = TEN + DAY  # it is recorded late: the consent was in force at its start
    booking_api.take_step(booked, "complete")


def test_an_override_for_one_consent_does_not_cover_another(booking_api: BookingApi) -> None:
    client_id, booked = make_later_visit(booking_api, birth_date=CHILD, guardian_name="Pat Example")
    sign(booking_api, client_id, "GUARDIAN")
    booking_api.now = TEN - 20 * MINUTE
    booking_api.take_step(booked, "check-in", **REASON)
    items = booking_api.get(f"/clients/{client_id}/consents").json()["items"]
    (guardian,) = [item for item in items if item["kind"] == "GUARDIAN"]
    booking_api.post(f"/consents/{guardian['id']}/revoke")
    booking_api.now = TEN
    refused = booking_api.post_step(booked, "start")
    assert problem_codes(refused) == {"CONSENT_MISSING", "CONSENT_REVOKED"}
    booking_api.take_step(booked, "start", **REASON)


@pytest.mark.parametrize("step", ["start", "complete"])
def test_a_client_who_waits_too_long_is_asked_again(booking_api: BookingApi, step: str) -> None:
    client_id, booked = make_later_visit(booking_api)
    sign(booking_api, client_id, "INFORMED_TREATMENT")
    booking_api.take_step(booked, "check-in")
    booking_api.now = TEN + 5 * MINUTE
    (consent,) = booking_api.get(f"/clients/{client_id}/consents").json()["items"]
    booking_api.post(f"/consents/{consent['id']}/revoke")
    booking_api.now = TEN + 2 * HOUR  # the visit would be over
    assert_error(booking_api.post_step(booked, step), "CONSENT_REVOKED")


def test_a_telehealth_consent_that_ended_after_the_visit_counts_for_it(booking_api: BookingApi) -> None:
    client_id, booked = make_later_visit(booking_api)
    sign(booking_api, client_id, "INFORMED_TREATMENT")
    booking_api.write("update appointments set telehealth = true where id = :id", id=booked["id"])
    assert_error(booking_api.post_step(booked, "complete"), "CONSENT_MISSING")
    sign(booking_api, client_id, "TELEHEALTH", revoked_at=TEN + DAY)
    booking_api.now = TEN + 2 * DAY
    booking_api.take_step(booked, "complete")
