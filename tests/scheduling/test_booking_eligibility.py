"""Consents, age and insurance at booking and at check-in."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from practice.people.models.clients import Consent, Coverage
from practice.store.ids import new_id
from tests.support.builders.schedule import ADULT, make_appointment, make_client, put
from tests.support.drivers.booking import (
    DAY,
    HOUR,
    MONDAY,
    BookingApi,
    assert_error,
    local,
    parse_instant,
    problem_codes,
)

TEN = local(MONDAY, 10)
CHILD = date(2014, 9, 1)
YEAR = timedelta(days=365)


class EligibilityScenario:
    """A client with or without a past visit and with the consents of the test."""

    def __init__(self, booking_api: BookingApi, *, visited: bool, birth_date: date = ADULT, **fields: object) -> None:
        self.booking_api = booking_api
        self.id = make_client(booking_api.practice, birth_date=birth_date, **fields)
        booking_api.write("update consents set voided_at = now() where client_id = :id", id=self.id)
        if visited:
            past = {"status": "COMPLETED", "status_at": booking_api.now, "guarded": False}
            start = booking_api.now - 30 * DAY
            make_appointment(booking_api.practice, booking_api.clinician, self.id, booking_api.service, start, **past)

    def sign(self, *kinds: str, ago: timedelta = 10 * DAY, **fields: object) -> "EligibilityScenario":
        for kind in kinds:
            values = {"kind": kind, "signed_at": self.booking_api.now - ago, "signed_by_name": "Casey Example"} | fields
            put(self.booking_api.practice, Consent(id=new_id(), client_id=self.id, **values))
        return self

    def find_problems(self, **fields: object) -> set[str]:
        """Return the problem codes of a preview, and check that booking reports the same."""
        response = self.booking_api.post(
            "/appointments/preview", **self.booking_api.booking_body(TEN, client_id=self.id, **fields)
        )
        assert response.status_code == 200, response.text
        codes = {problem["code"] for problem in response.json()["problems"]}
        booked = self.booking_api.book(TEN, client_id=self.id, **fields)
        assert (booked.status_code == 201) is (not codes)
        if codes:
            assert problem_codes(booked) == codes
        else:
            self.booking_api.take_step(booked.json()["appointment"], "cancel", reason="Tried only")
        return codes


def test_the_first_visit_can_be_booked_without_a_signature_and_check_in_asks(booking_api: BookingApi) -> None:
    new = EligibilityScenario(booking_api, visited=False)
    assert new.find_problems() == set()
    booked = booking_api.book_appointment(TEN, client_id=new.id)
    booking_api.now = TEN
    items = booking_api.take_step(booked, "check-in")["outstanding_items"]
    assert ["informed consent" in item for item in items] == [True]


def test_after_the_first_completed_visit_a_missing_consent_is_refused(booking_api: BookingApi) -> None:
    assert EligibilityScenario(booking_api, visited=True).find_problems() == {"CONSENT_MISSING"}
    assert EligibilityScenario(booking_api, visited=True).sign("INFORMED_TREATMENT").find_problems() == set()


@pytest.mark.parametrize("visited", [False, True])
def test_a_lapsed_consent_is_refused_also_before_the_first_visit(booking_api: BookingApi, visited: bool) -> None:
    assert EligibilityScenario(booking_api, visited=visited).sign("INFORMED_TREATMENT", ago=YEAR).find_problems() == {
        "CONSENT_LAPSED"
    }
    assert (
        EligibilityScenario(booking_api, visited=visited).sign("INFORMED_TREATMENT", ago=YEAR - DAY).find_problems()
        == set()
    )
    agreed = EligibilityScenario(booking_api, visited=visited).sign(
        "INFORMED_TREATMENT", expires_on=booking_api.now.date()
    )
    assert agreed.find_problems() == {"CONSENT_LAPSED"}


@pytest.mark.parametrize("visited", [False, True])
def test_a_revoked_consent_is_refused_until_there_is_a_new_one(booking_api: BookingApi, visited: bool) -> None:
    somebody = EligibilityScenario(booking_api, visited=visited).sign(
        "INFORMED_TREATMENT", revoked_at=booking_api.now - DAY
    )
    assert somebody.find_problems() == {"CONSENT_REVOKED"}
    assert somebody.sign("INFORMED_TREATMENT", ago=HOUR).find_problems() == set()


def test_for_a_minor_the_guardian_signs_as_well(booking_api: BookingApi) -> None:
    child = EligibilityScenario(booking_api, visited=True, birth_date=CHILD).sign("INFORMED_TREATMENT")
    assert child.find_problems() == {"CONSENT_MISSING"}
    child.sign("GUARDIAN", ago=YEAR)
    assert child.find_problems() == {"CONSENT_LAPSED"}
    assert child.sign("GUARDIAN").find_problems() == set()
    assert (
        EligibilityScenario(booking_api, visited=True, birth_date=CHILD, emancipated=True)
        .sign("INFORMED_TREATMENT")
        .find_problems()
        == set()
    )
    assert EligibilityScenario(booking_api, visited=False, birth_date=CHILD).find_problems() == set()


def test_a_client_who_is_of_age_on_the_day_needs_no_guardian(booking_api: BookingApi) -> None:
    birthday = date(2008, MONDAY.month, MONDAY.day)
    assert (
        EligibilityScenario(booking_api, visited=True, birth_date=birthday).sign("INFORMED_TREATMENT").find_problems()
        == set()
    )
    day_younger = EligibilityScenario(booking_api, visited=True, birth_date=birthday + DAY).sign("INFORMED_TREATMENT")
    assert day_younger.find_problems() == {"CONSENT_MISSING"}


@pytest.mark.parametrize("visited", [False, True])
def test_telehealth_needs_its_consent_without_exception(booking_api: BookingApi, visited: bool) -> None:
    somebody = EligibilityScenario(booking_api, visited=visited).sign("INFORMED_TREATMENT")
    assert somebody.find_problems(telehealth=True) == {"CONSENT_MISSING"}
    assert somebody.find_problems() == set()
    assert somebody.sign("TELEHEALTH", ago=YEAR).find_problems(telehealth=True) == {"CONSENT_LAPSED"}
    assert somebody.sign("TELEHEALTH").find_problems(telehealth=True) == set()


@pytest.mark.parametrize("change", ["revoked_at = '2026-03-19T12:00Z'", "expires_on = '2026-03-20'"])
def test_a_telehealth_visit_without_consent_does_not_start(booking_api: BookingApi, change: str) -> None:
    somebody = EligibilityScenario(booking_api, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = booking_api.book_appointment(TEN, client_id=somebody.id, telehealth=True)
    booking_api.write(f"update consents set {change} where client_id = :id and kind = 'TELEHEALTH'", id=somebody.id)
    booking_api.now = TEN
    assert_error(booking_api.post_step(booked, "check-in"), "CONSENT_MISSING")
    assert booking_api.read(booked)["status"] == "SCHEDULED"
    somebody.sign("TELEHEALTH", ago=HOUR)
    assert booking_api.take_step(booked, "check-in")["outstanding_items"] == []
    booking_api.write("update consents set voided_at = now() where client_id = :id", id=somebody.id)
    assert_error(booking_api.post_step(booked, "check-in"), "WRONG_STATUS")  # the status is checked first


def test_telehealth_without_consent_is_not_completed_without_check_in_either(booking_api: BookingApi) -> None:
    somebody = EligibilityScenario(booking_api, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = booking_api.book_appointment(TEN, client_id=somebody.id, telehealth=True)
    booking_api.write(
        "update consents set voided_at = now() where client_id = :id and kind = 'TELEHEALTH'", id=somebody.id
    )
    booking_api.now = TEN
    assert_error(booking_api.post_step(booked, "complete", booking_api.clinician), "CONSENT_MISSING")
    assert booking_api.read(booked)["status"] == "SCHEDULED"
    somebody.sign("TELEHEALTH", ago=HOUR)
    booking_api.take_step(booked, "complete", booking_api.clinician)


def test_a_telehealth_session_that_has_started_is_completed_after_revocation(
    booking_api: BookingApi,
) -> None:
    somebody = EligibilityScenario(booking_api, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = booking_api.book_appointment(TEN, client_id=somebody.id, telehealth=True)
    booking_api.now = TEN
    booking_api.take_step(booked, "check-in")
    booking_api.write("update consents set revoked_at = now() where client_id = :id", id=somebody.id)
    assert booking_api.take_step(booked, "complete", booking_api.clinician)["status"] == "COMPLETED"


def test_a_visit_does_not_become_telehealth_without_the_consent(booking_api: BookingApi) -> None:
    somebody = EligibilityScenario(booking_api, visited=True).sign("INFORMED_TREATMENT")
    booked = booking_api.book_appointment(TEN, client_id=somebody.id)
    assert_error(booking_api.patch(f"/appointments/{booked['id']}", 1, telehealth=True), "CONSENT_MISSING")
    somebody.sign("TELEHEALTH")
    assert booking_api.patch(f"/appointments/{booked['id']}", 1, telehealth=True).json()["telehealth"]


# Insurance


def add_coverage(booking_api: BookingApi, client_id: UUID, *, verified: bool, **fields: object) -> None:
    values = {"rank": 1, "payer_id": "60054", "payer_name": "Sample Health", "member_id": "M1"} | fields
    coverage = Coverage(id=new_id(), client_id=client_id, effective_on=date(2026, 1, 1), **values)
    coverage.verified_at = booking_api.now if verified else None
    put(booking_api.practice, coverage)


@pytest.mark.parametrize(
    ("self_pay", "coverage", "warned"),
    [(True, None, False), (False, None, True), (False, "unverified", True), (False, "verified", False)],
)
def test_unverified_insurance_is_a_warning_only(
    booking_api: BookingApi, self_pay: bool, coverage: str | None, warned: bool
) -> None:
    client = make_client(booking_api.practice, self_pay=self_pay)
    if coverage:
        add_coverage(booking_api, client, verified=coverage == "verified")
    response = booking_api.book(TEN, client_id=client)
    assert response.status_code == 201
    assert any("insurance" in warning for warning in response.json()["warnings"]) is warned
    series = booking_api.post(
        "/appointments/series", **booking_api.booking_body(TEN + DAY, client_id=client, rule="FREQ=WEEKLY;COUNT=2")
    ).json()
    assert any("insurance" in warning for warning in series["warnings"]) is warned


def test_the_coverage_of_the_day_counts(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, self_pay=False)
    add_coverage(booking_api, client, verified=True, ends_on=MONDAY)
    first, second = (booking_api.book(start, client_id=client).json()["warnings"] for start in (TEN, TEN + DAY))
    assert not any("insurance" in warning for warning in first)
    assert any("insurance" in warning for warning in second)


def test_check_in_lists_missing_demographics_and_completion_requires_them(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, self_pay=False, phone=None, city="")
    booked = booking_api.book_appointment(TEN, client_id=client)
    booking_api.now = TEN
    [item] = booking_api.take_step(booked, "check-in")["outstanding_items"]
    assert all(word in item for word in ("city", "phone", "coverage"))
    booking_api.take_step(booked, "start")
    error = assert_error(booking_api.post_step(booked, "complete"), "DEMOGRAPHICS_MISSING")
    assert error["details"]["missing"] == ["city", "phone", "coverage"]
    assert booking_api.read(booked)["status"] == "IN_PROGRESS"
    add_coverage(booking_api, client, verified=False)
    booking_api.write("update clients set city = 'Atlanta', phone = '404-555-0100' where id = :id", id=client)
    assert booking_api.take_step(booked, "complete")["status"] == "COMPLETED"
    assert parse_instant(booking_api.read(booked)["status_at"]) == TEN


def test_a_guardians_consent_signed_by_somebody_else_is_pointed_out(booking_api: BookingApi) -> None:
    """Until the guardian on record signs: at booking and at check-in."""
    child = EligibilityScenario(booking_api, visited=True, birth_date=CHILD, guardian_name="Ruth Lane")
    child.sign("INFORMED_TREATMENT", "GUARDIAN", signed_by_name="Gale Lane")
    hint = "Somebody else than the guardian on record signed the guardian's consent."
    booked = booking_api.book(TEN, client_id=child.id).json()
    assert [warning for warning in booked["warnings"] if hint in warning]
    first = booked["appointment"]
    later = booking_api.book_appointment(TEN + 2 * HOUR, client_id=child.id)
    booking_api.now = TEN
    assert [item for item in booking_api.take_step(first, "check-in")["outstanding_items"] if hint in item]
    child.sign("GUARDIAN", signed_by_name="ruth  LANE")
    assert hint not in str(booking_api.book(TEN + 4 * HOUR, client_id=child.id).json()["warnings"])
    assert booking_api.take_step(later, "check-in")["outstanding_items"] == []
