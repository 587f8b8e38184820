"""Rules about clients: valid records, minors, and the status that results from a history of changes."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.clients import (
    client_problems,
    clinician_change_problems,
    clinician_problems,
    compute_adult_cutoff,
    derive_end,
    derive_status,
    is_minor,
    is_valid_phone,
    needs_guardian,
    redact_birth_date,
    status_problems,
)
from practice.people.rules.practices import normalize_email

TODAY = date(2026, 3, 18)
days = st.dates(date(1930, 1, 1), date(2060, 12, 31))
RECORD: dict[str, Any] = {"birth_date": date(1990, 5, 17), "admitted_on": date(2026, 1, 5), "emancipated": False}
CHILD = RECORD | {"birth_date": date(2012, 5, 17)}


@given(born=days, on=days)
def test_a_client_is_a_minor_before_the_eighteenth_birthday(born: date, on: date) -> None:
    had_birthday = (on.month, on.day) >= (born.month, born.day)
    assert is_minor(born, on) == (on.year - born.year - (not had_birthday) < 18)


def test_a_client_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)
    assert is_minor(born, date(2026, 2, 28))
    assert not is_minor(born, date(2026, 3, 1))
    assert compute_adult_cutoff(date(2028, 2, 29)) == date(2010, 2, 28)


def test_a_guardian_consents_for_minors_who_are_not_emancipated() -> None:
    assert needs_guardian(date(2008, 3, 19), False, TODAY)
    assert not needs_guardian(date(2008, 3, 19), True, TODAY)
    assert not needs_guardian(date(2008, 3, 18), False, TODAY)


@pytest.mark.parametrize(
    ("ended_on", "reason", "status"),
    [
        (None, None, "ACTIVE"),
        (TODAY + timedelta(1), "DISCHARGED", "ACTIVE"),
        (TODAY, "DISCHARGED", "DISCHARGED"),
        (TODAY - timedelta(1), "INACTIVE", "INACTIVE"),
        (TODAY, None, "INACTIVE"),
    ],
)
def test_a_client_is_active_until_the_day_before_the_end(
    ended_on: date | None, reason: str | None, status: str
) -> None:
    assert derive_status(ended_on, reason, TODAY) == status


@pytest.mark.parametrize(
    ("sent", "fragments"),
    [
        ({"birth_date": TODAY + timedelta(1)}, ["birth date is in the future"]),
        ({"birth_date": date(1899, 12, 31)}, ["before 1900"]),
        ({"admitted_on": TODAY + timedelta(1)}, ["admission date is in the future"]),
        ({"admitted_on": date(1990, 5, 16)}, ["before the birth date"]),
        ({"high_risk_until": TODAY}, ["requires a start date"]),
        ({"high_risk_since": TODAY, "high_risk_until": TODAY - timedelta(1)}, ["before its start date"]),
        ({"email": "casey@"}, ["Invalid email"]),
        ({"guardian_email": "casey"}, ["Invalid guardian email"]),
        (
            {"phone": "none", "emergency_contact_phone": "12", "guardian_phone": "call me"},
            ["Invalid phone", "emergency contact phone", "guardian phone"],
        ),
        ({"zip": "3030"}, ["zip"]),
        ({"birth_date": date(2012, 1, 1)}, ["guardian's name"]),
        ({"birth_date": date(2012, 1, 1), "emancipated": True}, []),
        ({"birth_date": date(2012, 1, 1), "guardian_name": "Kin"}, []),
        ({"phone": "404-555-0100", "zip": "30301-1234", "email": "casey@example.com"}, []),
        ({"phone": None, "zip": None, "email": None}, []),
    ],
)
def test_invalid_fields_of_a_record_are_reported(sent: dict[str, Any], fragments: list[str]) -> None:
    problems = client_problems(sent, RECORD | sent, TODAY)
    assert len(problems) == len(fragments), problems
    assert all(fragment in problem.message for fragment, problem in zip(fragments, problems, strict=True))


def test_all_problems_are_reported_together() -> None:
    sent = {"birth_date": date(2030, 1, 1), "phone": "x", "zip": "x", "email": "x", "high_risk_until": TODAY}
    assert len(client_problems(sent, RECORD | sent, TODAY)) == 5


def test_fields_that_are_not_sent_are_not_checked() -> None:
    old = CHILD | {"phone": "see file", "high_risk_until": TODAY, "admitted_on": date(2000, 1, 1)}
    assert client_problems({"city": "Atlanta"}, old | {"city": "Atlanta"}, TODAY) == []
    assert len(client_problems({"guardian_name": None}, old, TODAY)) == 1


def test_the_admission_is_before_the_end_of_treatment() -> None:
    ended = RECORD | {"ended_on": date(2026, 2, 1)}
    assert client_problems({"admitted_on": 0}, ended, TODAY) == []
    (problem,) = client_problems({"admitted_on": 0}, ended | {"admitted_on": date(2026, 2, 2)}, TODAY)
    assert "2026-02-01" in problem.message


@pytest.mark.parametrize(
    "text",
    ["404-555-0100", "(404) 555-0100", "+1 404 555 0100", "4045550100", "404.555.0100 x12", "404-555-0100 ext. 7"],
)
def test_phone_numbers_can_be_written_in_many_ways(text: str) -> None:
    assert is_valid_phone(text)


@pytest.mark.parametrize(
    "text", ["", "-", "555", "call me", "404-555-0100 or 0101", "1234567890123456", "404\n5550100"]
)
def test_an_invalid_phone_number_is_rejected(text: str) -> None:
    assert not is_valid_phone(text)


@given(st.text(max_size=40))
def test_phone_and_email_validation_accepts_any_text(text: str) -> None:
    assert is_valid_phone(text) in (True, False)
    assert normalize_email(text) is None or "@" in text


@pytest.mark.parametrize(
    ("roles", "left_on", "deactivated", "valid"),
    [
        (["clinician"], None, False, True),
        (["supervisor", "clinician"], TODAY + timedelta(1), False, True),
        (["clinician"], TODAY, False, False),
        (["clinician"], None, True, False),
        (["supervisor"], None, False, False),
        (None, None, False, False),
    ],
)
def test_a_primary_clinician_is_an_active_clinician_of_the_practice(
    roles: list[str] | None, left_on: date | None, deactivated: bool, valid: bool
) -> None:
    assert (clinician_problems("clinician_id", roles, left_on, deactivated, TODAY) == []) == valid


# Histories


def january(day: int) -> date:
    return date(2026, 1, day)


@pytest.mark.parametrize(
    ("history", "end"),
    [
        ([], (None, None)),
        ([(january(1), "ACTIVE")], (None, None)),
        ([(january(1), "ACTIVE"), (january(9), "DISCHARGED")], (january(9), "DISCHARGED")),
        ([(january(1), "ACTIVE"), (january(9), "INACTIVE"), (january(20), "DISCHARGED")], (january(9), "DISCHARGED")),
        ([(january(1), "ACTIVE"), (january(9), "INACTIVE"), (january(12), "ACTIVE")], (None, None)),
        ([(january(1), "ACTIVE"), (january(9), "INACTIVE"), (january(9), "ACTIVE")], (None, None)),
        ([(january(1), "ACTIVE"), (january(20), "DISCHARGED"), (january(9), "ACTIVE")], (None, None)),
        (
            [(january(1), "ACTIVE"), (january(20), "INACTIVE"), (january(9), "DISCHARGED")],
            (january(9), "DISCHARGED"),
        ),
        (
            [(january(1), "ACTIVE"), (january(9), "INACTIVE"), (january(9), "ACTIVE"), (january(11), "INACTIVE")],
            (january(11), "INACTIVE"),
        ),
    ],
)
def test_the_end_is_the_first_day_since_which_the_client_is_not_active(history: Any, end: Any) -> None:
    assert derive_end(history) == end


@given(st.lists(st.tuples(st.integers(1, 28), st.sampled_from(["ACTIVE", "INACTIVE", "DISCHARGED"])), max_size=8))
def test_the_record_and_the_history_agree_on_todays_status(steps: list[tuple[int, str]]) -> None:
    """Apply accepted changes in any order, also planned ones."""
    accepted: list[tuple[date, str]] = [(january(1), "ACTIVE")]
    today = january(20)
    for day, status in steps:
        ended_on, reason = derive_end(accepted)
        current_status = derive_status(ended_on, reason, today)
        if not status_problems(
            status, january(day), accepted, admitted_on=january(1), current_status=current_status, today=today
        ):
            accepted.append((january(day), status))
            if january(day) <= today:
                assert derive_status(*derive_end(accepted), today) == status
            assert derive_status(*derive_end(accepted), january(31)) == status  # nothing planned remains after it


@pytest.mark.parametrize(
    ("status", "day", "current_status", "fragment"),
    [
        ("DISCHARGED", january(15), "ACTIVE", None),
        ("DISCHARGED", january(31), "ACTIVE", None),
        ("DISCHARGED", january(4), "ACTIVE", "admitted on 2026-01-05"),
        ("ACTIVE", january(15), "INACTIVE", None),
        ("ACTIVE", january(31), "INACTIVE", "in the future"),
        ("DISCHARGED", january(9), "INACTIVE", "2026-01-10"),
        ("INACTIVE", january(9), "INACTIVE", None),
    ],
)
def test_a_change_of_status_takes_effect_on_a_valid_day(
    status: str, day: date, current_status: str, fragment: str | None
) -> None:
    history = [(january(5), "ACTIVE"), (january(10), current_status)]
    problems = status_problems(
        status, day, history, admitted_on=january(5), current_status=current_status, today=january(20)
    )
    assert any(fragment in problem.message for problem in problems) if fragment else problems == []


def test_a_primary_clinician_changes_between_the_latest_change_and_today() -> None:
    assert clinician_change_problems(january(20), january(10), january(20)) == []
    assert clinician_change_problems(january(10), january(10), january(20)) == []
    assert clinician_change_problems(january(10), None, january(20)) == []
    assert "2026-01-10" in clinician_change_problems(january(9), january(10), january(20))[0].message
    assert "today" in clinician_change_problems(january(21), january(10), january(20))[0].message


@pytest.mark.parametrize(
    ("born", "left"),
    [
        (date(1990, 5, 17), date(1990, 12, 31)),
        (date(1936, 1, 2), date(1936, 12, 31)),
        (date(1931, 7, 4), date(1936, 12, 31)),  # everybody over 89 looks alike
        (date(2026, 2, 1), TODAY),
        (date(TODAY.year - 18, 1, 2), date(TODAY.year - 18, TODAY.month, TODAY.day)),  # an adult stays one
        (date(TODAY.year - 18, 12, 30), date(TODAY.year - 18, 12, 31)),
    ],
)
def test_of_a_birth_date_the_year_is_left(born: date, left: date) -> None:
    assert redact_birth_date(born, TODAY) == left
