"""Consents, age and insurance where somebody is booked and where they check in."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from practice.people.models.clients import Consent, Coverage
from practice.store.ids import new_id
from tests.support.builders.schedule import ADULT, make_appointment, make_client, put
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, at, problems_of, refused, wall

TEN = wall(MONDAY, 10)
CHILD = date(2014, 9, 1)
YEAR = timedelta(days=365)


class Someone:
    """A client with a history: visited before or not, and consents as the test says."""

    def __init__(self, booking_api: BookingApi, *, visited: bool, birth_date: date = ADULT, **more: object) -> None:
        self.booking_api = booking_api
        self.id = make_client(booking_api.practice, birth_date=birth_date, **more)
        booking_api.write("update consents set voided_at = now() where client_id = :id", id=self.id)
        if visited:
            past = {"status": "COMPLETED", "status_at": booking_api.now, "guarded": False}
            start = booking_api.now - 30 * DAY
            make_appointment(booking_api.practice, booking_api.clinician, self.id, booking_api.service, start, **past)

    def sign(self, *kinds: str, ago: timedelta = 10 * DAY, **more: object) -> "Someone":
        for kind in kinds:
            about = {"kind": kind, "signed_at": self.booking_api.now - ago, "signed_by_name": "Casey Example"} | more
            put(self.booking_api.practice, Consent(id=new_id(), client_id=self.id, **about))
        return self

    def problems(self, **more: object) -> set[str]:
        """Of a preview, so that it can be asked again."""
        answer = self.booking_api.post(
            "/appointments/preview", **self.booking_api.wanted(TEN, client_id=self.id, **more)
        )
        assert answer.status_code == 200, answer.text
        found = {problem["code"] for problem in answer.json()["problems"]}
        booked = self.booking_api.book(TEN, client_id=self.id, **more)
        assert (booked.status_code == 201) is (not found)
        if found:
            assert problems_of(booked) == found
        else:
            self.booking_api.done(booked.json()["appointment"], "cancel", reason="Only tried")
        return found


def test_the_first_visit_can_be_booked_without_a_signature_and_check_in_asks(booking_api: BookingApi) -> None:
    new = Someone(booking_api, visited=False)
    assert new.problems() == set()
    booked = booking_api.booked(TEN, client_id=new.id)
    booking_api.now = TEN
    asks = booking_api.done(booked, "check-in")["asks"]
    assert ["informed consent" in ask for ask in asks] == [True]


def test_after_the_first_completed_visit_a_missing_consent_is_refused(booking_api: BookingApi) -> None:
    assert Someone(booking_api, visited=True).problems() == {"CONSENT_MISSING"}
    assert Someone(booking_api, visited=True).sign("INFORMED_TREATMENT").problems() == set()


@pytest.mark.parametrize("visited", [False, True])
def test_a_lapsed_consent_is_refused_also_before_the_first_visit(booking_api: BookingApi, visited: bool) -> None:
    assert Someone(booking_api, visited=visited).sign("INFORMED_TREATMENT", ago=YEAR).problems() == {"CONSENT_LAPSED"}
    assert Someone(booking_api, visited=visited).sign("INFORMED_TREATMENT", ago=YEAR - DAY).problems() == set()
    agreed = Someone(booking_api, visited=visited).sign("INFORMED_TREATMENT", expires_on=booking_api.now.date())
    assert agreed.problems() == {"CONSENT_LAPSED"}


@pytest.mark.parametrize("visited", [False, True])
def test_a_revoked_consent_is_refused_until_there_is_a_new_one(booking_api: BookingApi, visited: bool) -> None:
    somebody = Someone(booking_api, visited=visited).sign("INFORMED_TREATMENT", revoked_at=booking_api.now - DAY)
    assert somebody.problems() == {"CONSENT_REVOKED"}
    assert somebody.sign("INFORMED_TREATMENT", ago=HOUR).problems() == set()


def test_for_a_minor_the_guardian_signs_as_well(booking_api: BookingApi) -> None:
    child = Someone(booking_api, visited=True, birth_date=CHILD).sign("INFORMED_TREATMENT")
    assert child.problems() == {"CONSENT_MISSING"}
    child.sign("GUARDIAN", ago=YEAR)
    assert child.problems() == {"CONSENT_LAPSED"}
    assert child.sign("GUARDIAN").problems() == set()
    assert (
        Someone(booking_api, visited=True, birth_date=CHILD, emancipated=True).sign("INFORMED_TREATMENT").problems()
        == set()
    )
    assert Someone(booking_api, visited=False, birth_date=CHILD).problems() == set()


def test_whoever_is_of_age_on_the_day_needs_no_guardian(booking_api: BookingApi) -> None:
    birthday = date(2008, MONDAY.month, MONDAY.day)
    assert Someone(booking_api, visited=True, birth_date=birthday).sign("INFORMED_TREATMENT").problems() == set()
    day_younger = Someone(booking_api, visited=True, birth_date=birthday + DAY).sign("INFORMED_TREATMENT")
    assert day_younger.problems() == {"CONSENT_MISSING"}


@pytest.mark.parametrize("visited", [False, True])
def test_telehealth_needs_its_consent_without_exception(booking_api: BookingApi, visited: bool) -> None:
    somebody = Someone(booking_api, visited=visited).sign("INFORMED_TREATMENT")
    assert somebody.problems(telehealth=True) == {"CONSENT_MISSING"}
    assert somebody.problems() == set()
    assert somebody.sign("TELEHEALTH", ago=YEAR).problems(telehealth=True) == {"CONSENT_LAPSED"}
    assert somebody.sign("TELEHEALTH").problems(telehealth=True) == set()


@pytest.mark.parametrize("what", ["revoked_at = '2026-03-19T12:00Z'", "expires_on = '2026-03-20'"])
def test_telehealth_without_consent_does_not_begin(booking_api: BookingApi, what: str) -> None:
    somebody = Someone(booking_api, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = booking_api.booked(TEN, client_id=somebody.id, telehealth=True)
    booking_api.write(f"update consents set {what} where client_id = :id and kind = 'TELEHEALTH'", id=somebody.id)
    booking_api.now = TEN
    refused(booking_api.step(booked, "check-in"), "CONSENT_MISSING")
    assert booking_api.read(booked)["status"] == "SCHEDULED"
    somebody.sign("TELEHEALTH", ago=HOUR)
    assert booking_api.done(booked, "check-in")["asks"] == []
    booking_api.write("update consents set voided_at = now() where client_id = :id", id=somebody.id)
    refused(booking_api.step(booked, "check-in"), "WRONG_STATUS")  # that first


def test_telehealth_without_consent_is_not_completed_without_check_in_either(booking_api: BookingApi) -> None:
    somebody = Someone(booking_api, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = booking_api.booked(TEN, client_id=somebody.id, telehealth=True)
    booking_api.write(
        "update consents set voided_at = now() where client_id = :id and kind = 'TELEHEALTH'", id=somebody.id
    )
    booking_api.now = TEN
    refused(booking_api.step(booked, "complete", booking_api.clinician), "CONSENT_MISSING")
    assert booking_api.read(booked)["status"] == "SCHEDULED"
    somebody.sign("TELEHEALTH", ago=HOUR)
    booking_api.done(booked, "complete", booking_api.clinician)


def test_a_telehealth_session_that_has_begun_is_completed_whatever_becomes_of_the_consent(
    booking_api: BookingApi,
) -> None:
    somebody = Someone(booking_api, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = booking_api.booked(TEN, client_id=somebody.id, telehealth=True)
    booking_api.now = TEN
    booking_api.done(booked, "check-in")
    booking_api.write("update consents set revoked_at = now() where client_id = :id", id=somebody.id)
    assert booking_api.done(booked, "complete", booking_api.clinician)["status"] == "COMPLETED"


def test_what_lapses_between_booking_and_visit_is_asked_for(booking_api: BookingApi) -> None:
    somebody = Someone(booking_api, visited=True).sign("INFORMED_TREATMENT", expires_on=MONDAY - DAY)
    booked = booking_api.booked(TEN, client_id=somebody.id)
    booking_api.now = TEN
    checked_in = booking_api.done(booked, "check-in")
    assert ["lapsed" in ask for ask in checked_in["asks"]] == [True]
    assert checked_in["appointment"]["status"] == "CHECKED_IN"


def test_a_visit_does_not_become_telehealth_without_the_consent(booking_api: BookingApi) -> None:
    somebody = Someone(booking_api, visited=True).sign("INFORMED_TREATMENT")
    booked = booking_api.booked(TEN, client_id=somebody.id)
    refused(booking_api.patch(f"/appointments/{booked['id']}", 1, telehealth=True), "CONSENT_MISSING")
    somebody.sign("TELEHEALTH")
    assert booking_api.patch(f"/appointments/{booked['id']}", 1, telehealth=True).json()["telehealth"]


# Insurance


def cover(booking_api: BookingApi, client_id: UUID, *, verified: bool, **more: object) -> None:
    about = {"rank": 1, "payer_id": "60054", "payer_name": "Sample Health", "member_id": "M1"} | more
    coverage = Coverage(id=new_id(), client_id=client_id, effective_on=date(2026, 1, 1), **about)
    coverage.verified_at = booking_api.now if verified else None
    put(booking_api.practice, coverage)


@pytest.mark.parametrize(
    ("self_pay", "coverage", "warned"),
    [(True, None, False), (False, None, True), (False, "unverified", True), (False, "verified", False)],
)
def test_insurance_that_is_not_verified_is_a_warning_and_no_refusal(
    booking_api: BookingApi, self_pay: bool, coverage: str | None, warned: bool
) -> None:
    client = make_client(booking_api.practice, self_pay=self_pay)
    if coverage:
        cover(booking_api, client, verified=coverage == "verified")
    answer = booking_api.book(TEN, client_id=client)
    assert answer.status_code == 201
    assert any("insurance" in warning for warning in answer.json()["warnings"]) is warned
    series = booking_api.post(
        "/appointments/series", **booking_api.wanted(TEN + DAY, client_id=client, rule="FREQ=WEEKLY;COUNT=2")
    ).json()
    assert any("insurance" in warning for warning in series["warnings"]) is warned


def test_the_coverage_of_the_day_counts(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, self_pay=False)
    cover(booking_api, client, verified=True, ends_on=MONDAY)
    assert booking_api.book(TEN, client_id=client).json()["warnings"] == []
    assert len(booking_api.book(TEN + DAY, client_id=client).json()["warnings"]) == 1


def test_check_in_shows_what_the_record_lacks_and_completion_needs_it(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, self_pay=False, phone=None, city="")
    booked = booking_api.booked(TEN, client_id=client)
    booking_api.now = TEN
    [ask] = booking_api.done(booked, "check-in")["asks"]
    assert all(word in ask for word in ("city", "phone", "coverage"))
    booking_api.done(booked, "start")
    error = refused(booking_api.step(booked, "complete"), "DEMOGRAPHICS_MISSING")
    assert error["details"]["missing"] == ["city", "phone", "coverage"]
    assert booking_api.read(booked)["status"] == "IN_PROGRESS"
    cover(booking_api, client, verified=False)
    booking_api.write("update clients set city = 'Atlanta', phone = '404-555-0100' where id = :id", id=client)
    assert booking_api.done(booked, "complete")["status"] == "COMPLETED"
    assert at(booking_api.read(booked)["status_at"]) == TEN
