"""Booking eligibility rules; times are in New York."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.clients import DEMOGRAPHICS
from practice.people.rules.consents import GUARDIAN, INFORMED, TELEHEALTH, ConsentTerm, has_consent_in_force
from practice.scheduling.appointments.rules.booking_eligibility import (
    ClientStanding,
    booking_problems,
    find_missing_demographics,
    find_outstanding_items,
)

ZONE = ZoneInfo("America/New_York")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


NOW, START = at("2026-03-18 11:30"), at("2026-03-25 09:00")
GROWN = ClientStanding(birth_date=date(1990, 5, 1))
CHILD = ClientStanding(birth_date=date(2014, 5, 1))
SIGNED = ConsentTerm(INFORMED, at("2026-01-10 09:00"))


def codes(client: ClientStanding, *, starts_at: datetime = START, telehealth: bool = False) -> list[str]:
    problems = booking_problems(client, starts_at=starts_at, telehealth=telehealth, now=NOW, zone=ZONE)
    assert all(problem.message.endswith(".") for problem in problems)
    return [problem.code for problem in problems]


@pytest.mark.parametrize(
    ("consent", "instant", "in_force"),
    [
        # signed before the instant, not at it
        (ConsentTerm(INFORMED, at("2026-03-18 09:00")), "2026-03-18 09:00", False),
        (ConsentTerm(INFORMED, at("2026-03-18 09:00")), "2026-03-18 09:01", True),
        # just before midnight it is still the day before
        (ConsentTerm(INFORMED, at("2025-03-18 09:00")), "2026-03-18 00:00", True),
        (ConsentTerm(INFORMED, at("2025-03-18 09:00")), "2026-03-18 00:01", False),
        (ConsentTerm(INFORMED, at("2025-03-18 23:30")), "2026-03-18 00:00", True),  # in UTC it was signed on the 19th
        (ConsentTerm(INFORMED, at("2025-03-18 23:30")), "2026-03-18 00:01", False),
        # the date agreed is the first one without it, be it sooner or later than a year
        (ConsentTerm(INFORMED, at("2025-03-18 09:00"), date(2025, 6, 1)), "2025-06-01 00:00", True),
        (ConsentTerm(INFORMED, at("2025-03-18 09:00"), date(2025, 6, 1)), "2025-06-01 08:00", False),
        (ConsentTerm(INFORMED, at("2025-03-18 09:00"), date(2028, 6, 1)), "2028-05-31 08:00", True),
        # leap days
        (ConsentTerm(INFORMED, at("2024-02-29 09:00")), "2025-02-27 23:59", True),
        (ConsentTerm(INFORMED, at("2024-02-29 09:00")), "2025-02-28 00:00", True),
        (ConsentTerm(INFORMED, at("2024-02-29 09:00")), "2025-02-28 00:01", False),
        (ConsentTerm(INFORMED, at("2023-02-28 09:00")), "2024-02-28 09:00", False),
        (ConsentTerm(INFORMED, at("2023-03-01 09:00")), "2024-02-29 23:59", True),
        # revoked in that instant is not before it
        (ConsentTerm(INFORMED, at("2026-01-10 09:00"), None, at("2026-03-01 09:00")), "2026-03-01 09:00", True),
        (ConsentTerm(INFORMED, at("2026-01-10 09:00"), None, at("2026-03-01 09:00")), "2026-03-01 09:01", False),
        (ConsentTerm(GUARDIAN, at("2026-01-10 09:00")), "2026-03-18 09:00", False),
    ],
)
def test_a_consent_is_in_force_just_before_an_instant(consent: ConsentTerm, instant: str, in_force: bool) -> None:
    assert has_consent_in_force([consent], INFORMED, at(instant), ZONE) is in_force
    local = at(instant).astimezone(ZONE)  # whatever zone the instant is written in
    assert has_consent_in_force([consent], INFORMED, local, ZONE) is in_force


def test_midnight_that_the_clock_skips_still_ends_the_day_before() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    first = datetime(2026, 3, 29, 1, tzinfo=beirut)  # the first instant of that day
    consent = ConsentTerm(INFORMED, datetime(2026, 1, 10, tzinfo=UTC), expires_on=date(2026, 3, 29))
    assert has_consent_in_force([consent], INFORMED, first, beirut)
    assert not has_consent_in_force([consent], INFORMED, first + timedelta(minutes=1), beirut)


days = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(days, st.none() | days, days, st.sampled_from([0, 1, 700, 1439]), st.integers(0, 1439))
def test_without_revocation_a_consent_counts_day_by_day(
    signed_on: date, expires_on: date | None, on: date, signed_minute: int, minute: int
) -> None:
    def clock(day: date, minutes: int) -> datetime:
        return datetime.combine(day, time(minutes // 60, minutes % 60), ZONE).astimezone(UTC)

    instant = clock(on, minute)
    consent = ConsentTerm(TELEHEALTH, clock(signed_on, signed_minute), expires_on)
    before = on if minute else on - timedelta(days=1)
    until = expires_on
    if until is None:
        leap = (signed_on.month, signed_on.day) == (2, 29)
        until = date(signed_on.year + 1, 2, 28) if leap else signed_on.replace(year=signed_on.year + 1)
    expected = consent.signed_at < instant and before < until
    assert has_consent_in_force([consent], TELEHEALTH, instant, ZONE) is expected


RENEWED = ConsentTerm(INFORMED, at("2026-02-01 09:00"))


@pytest.mark.parametrize(
    ("consents", "visited", "expected"),
    [
        ([], False, []),
        ([], True, ["CONSENT_MISSING"]),
        ([SIGNED], True, []),
        ([SIGNED._replace(expires_on=date(2026, 3, 19))], True, []),  # it runs out before the visit: check-in asks
        ([SIGNED._replace(expires_on=date(2026, 3, 18))], True, ["CONSENT_LAPSED"]),
        ([SIGNED._replace(expires_on=date(2026, 3, 1))], False, ["CONSENT_LAPSED"]),
        ([SIGNED._replace(revoked_at=at("2026-03-18 11:00"))], False, ["CONSENT_REVOKED"]),
        ([SIGNED._replace(expires_on=date(2026, 3, 1)), ConsentTerm(INFORMED, at("2026-03-02 09:00"))], True, []),
        # who revokes this year's does not fall back on last year's
        (
            [SIGNED, RENEWED._replace(revoked_at=at("2026-02-02 09:00"))],
            True,
            ["CONSENT_REVOKED"],
        ),
        ([SIGNED._replace(revoked_at=at("2026-02-02 09:00")), ConsentTerm(INFORMED, at("2026-02-02 09:00"))], True, []),
        ([ConsentTerm(GUARDIAN, at("2026-03-02 09:00"))], True, ["CONSENT_MISSING"]),
        # the last one signed decides the code
        (
            [
                SIGNED._replace(revoked_at=at("2026-01-11 09:00")),
                ConsentTerm(INFORMED, at("2026-02-01 09:00"), date(2026, 3, 10)),
            ],
            True,
            ["CONSENT_LAPSED"],
        ),
    ],
)
def test_a_booking_asks_for_the_informed_consent(
    consents: list[ConsentTerm], visited: bool, expected: list[str]
) -> None:
    client = replace(GROWN, consents=tuple(consents), has_completed_visit=visited)
    assert codes(client) == expected


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (CHILD, []),
        (replace(CHILD, has_completed_visit=True), ["CONSENT_MISSING"]),
        (replace(CHILD, has_completed_visit=True, emancipated=True), []),
        (replace(CHILD, consents=(ConsentTerm(GUARDIAN, at("2025-03-18 09:00")),)), ["CONSENT_LAPSED"]),
        (replace(CHILD, consents=(ConsentTerm(GUARDIAN, at("2025-03-19 09:00")),)), []),
        # somebody who comes of age on the very day needs no guardian any more; a day later they still do
        (replace(CHILD, birth_date=date(2008, 3, 25), has_completed_visit=True), []),
        (replace(CHILD, birth_date=date(2008, 3, 26), has_completed_visit=True), ["CONSENT_MISSING"]),
    ],
)
def test_a_minor_needs_the_guardian_as_well(client: ClientStanding, expected: list[str]) -> None:
    assert codes(replace(client, consents=(SIGNED, *client.consents))) == expected


@pytest.mark.parametrize(
    ("consents", "expected"),
    [
        ([], ["CONSENT_MISSING"]),  # the first visit is no exception
        ([ConsentTerm(TELEHEALTH, at("2026-03-01 09:00"))], []),
        ([ConsentTerm(TELEHEALTH, at("2025-03-01 09:00"))], ["CONSENT_LAPSED"]),
        ([ConsentTerm(TELEHEALTH, at("2026-03-01 09:00"), None, at("2026-03-02 09:00"))], ["CONSENT_REVOKED"]),
    ],
)
def test_telehealth_needs_its_consent_from_the_first_visit_on(consents: list[ConsentTerm], expected: list[str]) -> None:
    client = replace(GROWN, consents=tuple(consents))
    assert codes(client, telehealth=True) == expected
    assert codes(client) == []


def test_a_change_of_treatment_asks_for_a_new_informed_consent() -> None:
    client = replace(GROWN, consents=(SIGNED,), has_completed_visit=True, treatment_changed_at=at("2026-02-01 09:00"))
    assert codes(client) == ["CONSENT_OUTDATED"]
    assert codes(replace(client, treatment_changed_at=SIGNED.signed_at)) == []
    assert codes(replace(client, consents=(SIGNED, ConsentTerm(INFORMED, at("2026-02-01 09:30"))))) == []
    again = ConsentTerm(INFORMED, at("2026-02-01 09:30"), None, at("2026-02-03 09:00"))
    assert codes(replace(client, consents=(SIGNED, again))) == ["CONSENT_REVOKED"]
    assert codes(replace(client, consents=())) == ["CONSENT_MISSING"]
    others = (ConsentTerm(GUARDIAN, SIGNED.signed_at), ConsentTerm(TELEHEALTH, SIGNED.signed_at))
    child = replace(client, birth_date=CHILD.birth_date, consents=(SIGNED, *others))
    assert codes(child, telehealth=True) == ["CONSENT_OUTDATED"]  # the informed one alone


@pytest.mark.parametrize(
    ("ended_on", "expected"), [(date(2026, 3, 26), []), (date(2026, 3, 25), ["CLIENT_NOT_ACTIVE"])]
)
def test_a_client_whose_treatment_has_ended_by_then_is_not_booked(ended_on: date, expected: list[str]) -> None:
    assert codes(replace(GROWN, ended_on=ended_on)) == expected


def test_a_client_can_still_sign_after_the_start() -> None:
    started = NOW - timedelta(minutes=5)
    signed = ConsentTerm(TELEHEALTH, NOW - timedelta(minutes=1))
    assert codes(replace(GROWN, consents=(signed,)), starts_at=started, telehealth=True) == []
    assert codes(GROWN, starts_at=started, telehealth=True) == ["CONSENT_MISSING"]


def test_all_problems_are_reported_together() -> None:
    lapsed = ConsentTerm(INFORMED, at("2024-01-01 09:00"))
    client = replace(CHILD, ended_on=date(2026, 1, 1), has_completed_visit=True, consents=(lapsed,))
    assert codes(client, telehealth=True) == [
        "CLIENT_NOT_ACTIVE",
        "CONSENT_LAPSED",
        "CONSENT_MISSING",
        "CONSENT_MISSING",
    ]


def test_check_in_asks_for_what_is_missing() -> None:
    def find_items(client: ClientStanding, missing: list[str]) -> list[str]:
        return find_outstanding_items(client, starts_at=START, telehealth=False, missing=missing, now=NOW, zone=ZONE)

    assert find_items(replace(GROWN, consents=(SIGNED,)), []) == []
    first_visit = find_items(CHILD, ["zip", "emergency_contact_phone", "coverage"])
    assert first_visit == [
        "The informed consent is not signed. Ask the client to sign it.",
        "The guardian's consent is not signed. Ask the client to sign it.",
        "Missing in the client's record: zip code, emergency contact's phone, coverage or self-pay. Complete it first.",
    ]


FULL = dict.fromkeys(DEMOGRAPHICS, "x") | {"birth_date": date(1990, 5, 1)}


@pytest.mark.parametrize("name", list(DEMOGRAPHICS))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_each_empty_demographics_field_is_missing(name: str, value: str | None) -> None:
    assert find_missing_demographics(FULL | {name: value}, self_pay=True, covered=False) == [name]


def test_coverage_or_self_pay_is_required() -> None:
    assert find_missing_demographics(FULL, self_pay=False, covered=True) == []
    assert find_missing_demographics(FULL, self_pay=True, covered=False) == []
    assert find_missing_demographics(FULL, self_pay=False, covered=False) == ["coverage"]
    assert len(find_missing_demographics({}, self_pay=False, covered=False)) == 11


def test_the_consent_of_another_guardian_stands() -> None:
    first = ConsentTerm(GUARDIAN, at("2026-01-10 09:00"), None, at("2026-02-02 09:00"), "Pat Example")
    for signer, expected in (("Robin Other", True), ("pat EXAMPLE", False), (None, False)):
        second = ConsentTerm(GUARDIAN, at("2026-02-01 09:00"), signed_by=signer)
        assert has_consent_in_force([first, second], GUARDIAN, NOW, ZONE) is expected
