"""Consents, age and insurance where somebody is booked and where they check in."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from practice.people.models.clients import Consent, Coverage
from practice.store.ids import new_id
from tests.support.builders.schedule import ADULT, make_appointment, make_client, put
from tests.support.drivers.booking import DAY, HOUR, MONDAY, FrontDesk, at, problems_of, refused, wall

TEN = wall(MONDAY, 10)
CHILD = date(2014, 9, 1)
YEAR = timedelta(days=365)


class Someone:
    """A client with a history: visited before or not, and consents as the test says."""

    def __init__(self, desk: FrontDesk, *, visited: bool, birth_date: date = ADULT, **more: object) -> None:
        self.desk = desk
        self.id = make_client(desk.practice, birth_date=birth_date, **more)
        desk.write("update consents set voided_at = now() where client_id = :id", id=self.id)
        if visited:
            past = {"status": "COMPLETED", "status_at": desk.now, "guarded": False}
            start = desk.now - 30 * DAY
            make_appointment(desk.practice, desk.clinician, self.id, desk.service, start, **past)

    def sign(self, *kinds: str, ago: timedelta = 10 * DAY, **more: object) -> "Someone":
        for kind in kinds:
            about = {"kind": kind, "signed_at": self.desk.now - ago, "signed_by_name": "Casey Example"} | more
            put(self.desk.practice, Consent(id=new_id(), client_id=self.id, **about))
        return self

    def problems(self, **more: object) -> set[str]:
        """Of a preview, so that it can be asked again."""
        answer = self.desk.post("/appointments/preview", **self.desk.wanted(TEN, client_id=self.id, **more))
        assert answer.status_code == 200, answer.text
        found = {problem["code"] for problem in answer.json()["problems"]}
        booked = self.desk.book(TEN, client_id=self.id, **more)
        assert (booked.status_code == 201) is (not found)
        if found:
            assert problems_of(booked) == found
        else:
            self.desk.done(booked.json()["appointment"], "cancel", reason="Only tried")
        return found


def test_the_first_visit_can_be_booked_without_a_signature_and_check_in_asks(desk: FrontDesk) -> None:
    new = Someone(desk, visited=False)
    assert new.problems() == set()
    booked = desk.booked(TEN, client_id=new.id)
    desk.now = TEN
    asks = desk.done(booked, "check-in")["asks"]
    assert ["informed consent" in ask for ask in asks] == [True]


def test_after_the_first_completed_visit_a_missing_consent_is_refused(desk: FrontDesk) -> None:
    assert Someone(desk, visited=True).problems() == {"CONSENT_MISSING"}
    assert Someone(desk, visited=True).sign("INFORMED_TREATMENT").problems() == set()


@pytest.mark.parametrize("visited", [False, True])
def test_a_lapsed_consent_is_refused_also_before_the_first_visit(desk: FrontDesk, visited: bool) -> None:
    assert Someone(desk, visited=visited).sign("INFORMED_TREATMENT", ago=YEAR).problems() == {"CONSENT_LAPSED"}
    assert Someone(desk, visited=visited).sign("INFORMED_TREATMENT", ago=YEAR - DAY).problems() == set()
    agreed = Someone(desk, visited=visited).sign("INFORMED_TREATMENT", expires_on=desk.now.date())
    assert agreed.problems() == {"CONSENT_LAPSED"}


@pytest.mark.parametrize("visited", [False, True])
def test_a_revoked_consent_is_refused_until_there_is_a_new_one(desk: FrontDesk, visited: bool) -> None:
    somebody = Someone(desk, visited=visited).sign("INFORMED_TREATMENT", revoked_at=desk.now - DAY)
    assert somebody.problems() == {"CONSENT_REVOKED"}
    assert somebody.sign("INFORMED_TREATMENT", ago=HOUR).problems() == set()


def test_for_a_minor_the_guardian_signs_as_well(desk: FrontDesk) -> None:
    child = Someone(desk, visited=True, birth_date=CHILD).sign("INFORMED_TREATMENT")
    assert child.problems() == {"CONSENT_MISSING"}
    child.sign("GUARDIAN", ago=YEAR)
    assert child.problems() == {"CONSENT_LAPSED"}
    assert child.sign("GUARDIAN").problems() == set()
    assert (
        Someone(desk, visited=True, birth_date=CHILD, emancipated=True).sign("INFORMED_TREATMENT").problems() == set()
    )
    assert Someone(desk, visited=False, birth_date=CHILD).problems() == set()


def test_whoever_is_of_age_on_the_day_needs_no_guardian(desk: FrontDesk) -> None:
    birthday = date(2008, MONDAY.month, MONDAY.day)
    assert Someone(desk, visited=True, birth_date=birthday).sign("INFORMED_TREATMENT").problems() == set()
    day_younger = Someone(desk, visited=True, birth_date=birthday + DAY).sign("INFORMED_TREATMENT")
    assert day_younger.problems() == {"CONSENT_MISSING"}


@pytest.mark.parametrize("visited", [False, True])
def test_telehealth_needs_its_consent_without_exception(desk: FrontDesk, visited: bool) -> None:
    somebody = Someone(desk, visited=visited).sign("INFORMED_TREATMENT")
    assert somebody.problems(telehealth=True) == {"CONSENT_MISSING"}
    assert somebody.problems() == set()
    assert somebody.sign("TELEHEALTH", ago=YEAR).problems(telehealth=True) == {"CONSENT_LAPSED"}
    assert somebody.sign("TELEHEALTH").problems(telehealth=True) == set()


@pytest.mark.parametrize("what", ["revoked_at = '2026-03-19T12:00Z'", "expires_on = '2026-03-20'"])
def test_telehealth_without_consent_does_not_begin(desk: FrontDesk, what: str) -> None:
    somebody = Someone(desk, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = desk.booked(TEN, client_id=somebody.id, telehealth=True)
    desk.write(f"update consents set {what} where client_id = :id and kind = 'TELEHEALTH'", id=somebody.id)
    desk.now = TEN
    refused(desk.step(booked, "check-in"), "CONSENT_MISSING")
    assert desk.read(booked)["status"] == "SCHEDULED"
    somebody.sign("TELEHEALTH", ago=HOUR)
    assert desk.done(booked, "check-in")["asks"] == []
    desk.write("update consents set voided_at = now() where client_id = :id", id=somebody.id)
    refused(desk.step(booked, "check-in"), "WRONG_STATUS")  # that first


def test_telehealth_without_consent_is_not_completed_without_check_in_either(desk: FrontDesk) -> None:
    somebody = Someone(desk, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = desk.booked(TEN, client_id=somebody.id, telehealth=True)
    desk.write("update consents set voided_at = now() where client_id = :id and kind = 'TELEHEALTH'", id=somebody.id)
    desk.now = TEN
    refused(desk.step(booked, "complete", desk.clinician), "CONSENT_MISSING")
    assert desk.read(booked)["status"] == "SCHEDULED"
    somebody.sign("TELEHEALTH", ago=HOUR)
    desk.done(booked, "complete", desk.clinician)


def test_a_telehealth_session_that_has_begun_is_completed_whatever_becomes_of_the_consent(desk: FrontDesk) -> None:
    somebody = Someone(desk, visited=True).sign("INFORMED_TREATMENT", "TELEHEALTH")
    booked = desk.booked(TEN, client_id=somebody.id, telehealth=True)
    desk.now = TEN
    desk.done(booked, "check-in")
    desk.write("update consents set revoked_at = now() where client_id = :id", id=somebody.id)
    assert desk.done(booked, "complete", desk.clinician)["status"] == "COMPLETED"


def test_what_lapses_between_booking_and_visit_is_asked_for(desk: FrontDesk) -> None:
    somebody = Someone(desk, visited=True).sign("INFORMED_TREATMENT", expires_on=MONDAY - DAY)
    booked = desk.booked(TEN, client_id=somebody.id)
    desk.now = TEN
    checked_in = desk.done(booked, "check-in")
    assert ["lapsed" in ask for ask in checked_in["asks"]] == [True]
    assert checked_in["appointment"]["status"] == "CHECKED_IN"


def test_a_visit_does_not_become_telehealth_without_the_consent(desk: FrontDesk) -> None:
    somebody = Someone(desk, visited=True).sign("INFORMED_TREATMENT")
    booked = desk.booked(TEN, client_id=somebody.id)
    refused(desk.patch(f"/appointments/{booked['id']}", 1, telehealth=True), "CONSENT_MISSING")
    somebody.sign("TELEHEALTH")
    assert desk.patch(f"/appointments/{booked['id']}", 1, telehealth=True).json()["telehealth"]


# Insurance


def cover(desk: FrontDesk, client_id: UUID, *, verified: bool, **more: object) -> None:
    about = {"rank": 1, "payer_id": "60054", "payer_name": "Sample Health", "member_id": "M1"} | more
    coverage = Coverage(id=new_id(), client_id=client_id, effective_on=date(2026, 1, 1), **about)
    coverage.verified_at = desk.now if verified else None
    put(desk.practice, coverage)


@pytest.mark.parametrize(
    ("self_pay", "coverage", "warned"),
    [(True, None, False), (False, None, True), (False, "unverified", True), (False, "verified", False)],
)
def test_insurance_that_is_not_verified_is_a_warning_and_no_refusal(
    desk: FrontDesk, self_pay: bool, coverage: str | None, warned: bool
) -> None:
    client = make_client(desk.practice, self_pay=self_pay)
    if coverage:
        cover(desk, client, verified=coverage == "verified")
    answer = desk.book(TEN, client_id=client)
    assert answer.status_code == 201
    assert any("insurance" in warning for warning in answer.json()["warnings"]) is warned
    series = desk.post(
        "/appointments/series", **desk.wanted(TEN + DAY, client_id=client, rule="FREQ=WEEKLY;COUNT=2")
    ).json()
    assert any("insurance" in warning for warning in series["warnings"]) is warned


def test_the_coverage_of_the_day_counts(desk: FrontDesk) -> None:
    client = make_client(desk.practice, self_pay=False)
    cover(desk, client, verified=True, ends_on=MONDAY)
    assert desk.book(TEN, client_id=client).json()["warnings"] == []
    assert len(desk.book(TEN + DAY, client_id=client).json()["warnings"]) == 1


def test_check_in_shows_what_the_record_lacks_and_completion_needs_it(desk: FrontDesk) -> None:
    client = make_client(desk.practice, self_pay=False, phone=None, city="")
    booked = desk.booked(TEN, client_id=client)
    desk.now = TEN
    [ask] = desk.done(booked, "check-in")["asks"]
    assert all(word in ask for word in ("city", "phone", "coverage"))
    desk.done(booked, "start")
    error = refused(desk.step(booked, "complete"), "DEMOGRAPHICS_MISSING")
    assert error["details"]["missing"] == ["city", "phone", "coverage"]
    assert desk.read(booked)["status"] == "IN_PROGRESS"
    cover(desk, client, verified=False)
    desk.write("update clients set city = 'Atlanta', phone = '404-555-0100' where id = :id", id=client)
    assert desk.done(booked, "complete")["status"] == "COMPLETED"
    assert at(desk.read(booked)["status_at"]) == TEN
