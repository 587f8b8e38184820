"""What a client's record may say, who is a minor, and what a history of changes comes to."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.clients import (
    adult_since,
    change_of_clinician_problems,
    client_problems,
    clinician_problems,
    end_of,
    is_minor,
    needs_guardian,
    phone_is_valid,
    status_on,
    status_problems,
)
from practice.people.rules.practices import email_address

TODAY = date(2026, 3, 18)
days = st.dates(date(1930, 1, 1), date(2060, 12, 31))
RECORD: dict[str, Any] = {"birth_date": date(1990, 5, 17), "admitted_on": date(2026, 1, 5), "emancipated": False}
CHILD = RECORD | {"birth_date": date(2012, 5, 17)}


@given(born=days, on=days)
def test_somebody_is_a_minor_before_the_eighteenth_birthday(born: date, on: date) -> None:
    had_birthday = (on.month, on.day) >= (born.month, born.day)
    assert is_minor(born, on) == (on.year - born.year - (not had_birthday) < 18)


def test_who_was_born_on_a_leap_day_is_of_age_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)
    assert is_minor(born, date(2026, 2, 28))
    assert not is_minor(born, date(2026, 3, 1))
    assert adult_since(date(2028, 2, 29)) == date(2010, 2, 28)


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
def test_somebody_is_active_until_the_day_before_the_end(
    ended_on: date | None, reason: str | None, status: str
) -> None:
    assert status_on(ended_on, reason, TODAY) == status


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"birth_date": TODAY + timedelta(1)}, ["birth date lies in the future"]),
        ({"birth_date": date(1899, 12, 31)}, ["before 1900"]),
        ({"admitted_on": TODAY + timedelta(1)}, ["admission lies in the future"]),
        ({"admitted_on": date(1990, 5, 16)}, ["before the birth"]),
        ({"high_risk_until": TODAY}, ["since when"]),
        ({"high_risk_since": TODAY, "high_risk_until": TODAY - timedelta(1)}, ["ends before it began"]),
        ({"email": "casey@"}, ["e-mail address is not one"]),
        ({"guardian_email": "casey"}, ["guardian's e-mail"]),
        ({"phone": "none", "emergency_contact_phone": "12", "guardian_phone": "call me"}, ["The phone", "em", "gu"]),
        ({"zip": "3030"}, ["zip"]),
        ({"birth_date": date(2012, 1, 1)}, ["guardian's name"]),
        ({"birth_date": date(2012, 1, 1), "emancipated": True}, []),
        ({"birth_date": date(2012, 1, 1), "guardian_name": "Kin"}, []),
        ({"phone": "404-555-0100", "zip": "30301-1234", "email": "casey@example.com"}, []),
        ({"phone": None, "zip": None, "email": None}, []),
    ],
)
def test_a_record_says_only_what_can_be(sent: dict[str, Any], said: list[str]) -> None:
    problems = client_problems(sent, RECORD | sent, TODAY)
    assert len(problems) == len(said), problems
    assert all(words in problem for words, problem in zip(said, problems, strict=True))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    sent = {"birth_date": date(2030, 1, 1), "phone": "x", "zip": "x", "email": "x", "high_risk_until": TODAY}
    assert len(client_problems(sent, RECORD | sent, TODAY)) == 5


def test_what_stood_there_before_is_not_asked_about() -> None:
    old = CHILD | {"phone": "see file", "high_risk_until": TODAY, "admitted_on": date(2000, 1, 1)}
    assert client_problems({"city": "Atlanta"}, old | {"city": "Atlanta"}, TODAY) == []
    assert len(client_problems({"guardian_name": None}, old, TODAY)) == 1


def test_the_admission_lies_before_the_end_of_the_treatment() -> None:
    ended = RECORD | {"ended_on": date(2026, 2, 1)}
    assert client_problems({"admitted_on": 0}, ended, TODAY) == []
    (problem,) = client_problems({"admitted_on": 0}, ended | {"admitted_on": date(2026, 2, 2)}, TODAY)
    assert "2026-02-01" in problem


@pytest.mark.parametrize(
    "text",
    ["404-555-0100", "(404) 555-0100", "+1 404 555 0100", "4045550100", "404.555.0100 x12", "404-555-0100 ext. 7"],
)
def test_phones_are_written_in_many_ways(text: str) -> None:
    assert phone_is_valid(text)


@pytest.mark.parametrize(
    "text", ["", "-", "555", "call me", "404-555-0100 or 0101", "1234567890123456", "404\n5550100"]
)
def test_what_is_no_phone_is_none(text: str) -> None:
    assert not phone_is_valid(text)


@given(st.text(max_size=40))
def test_whatever_is_written_as_phone_or_address_gets_an_answer(text: str) -> None:
    assert phone_is_valid(text) in (True, False)
    assert email_address(text) is None or "@" in text


@pytest.mark.parametrize(
    ("roles", "left_on", "deactivated", "fine"),
    [
        (["clinician"], None, False, True),
        (["supervisor", "clinician"], TODAY + timedelta(1), False, True),
        (["clinician"], TODAY, False, False),
        (["clinician"], None, True, False),
        (["supervisor"], None, False, False),
        (None, None, False, False),
    ],
)
def test_a_primary_clinician_works_here_as_one(
    roles: list[str] | None, left_on: date | None, deactivated: bool, fine: bool
) -> None:
    assert (clinician_problems(roles, left_on, deactivated, TODAY) == []) == fine


# Histories


def d(day: int) -> date:
    return date(2026, 1, day)


@pytest.mark.parametrize(
    ("history", "end"),
    [
        ([], (None, None)),
        ([(d(1), "ACTIVE")], (None, None)),
        ([(d(1), "ACTIVE"), (d(9), "DISCHARGED")], (d(9), "DISCHARGED")),
        ([(d(1), "ACTIVE"), (d(9), "INACTIVE"), (d(20), "DISCHARGED")], (d(9), "DISCHARGED")),
        ([(d(1), "ACTIVE"), (d(9), "INACTIVE"), (d(12), "ACTIVE")], (None, None)),
        ([(d(1), "ACTIVE"), (d(9), "INACTIVE"), (d(9), "ACTIVE")], (None, None)),
        ([(d(1), "ACTIVE"), (d(9), "INACTIVE"), (d(9), "ACTIVE"), (d(11), "INACTIVE")], (d(11), "INACTIVE")),
    ],
)
def test_the_end_is_the_first_day_since_which_nobody_was_active(history: Any, end: Any) -> None:
    assert end_of(history) == end


@given(st.lists(st.tuples(st.integers(1, 28), st.sampled_from(["ACTIVE", "INACTIVE", "DISCHARGED"])), max_size=8))
def test_the_record_says_of_today_what_the_history_says(steps: list[tuple[int, str]]) -> None:
    """However the accepted changes come: where they stand in no other's way, and none begins after today."""
    taken: list[tuple[date, str]] = [(d(1), "ACTIVE")]
    today = d(28)
    for day, status in steps:
        ended_on, reason = end_of(sorted(taken, key=lambda row: row[0]))
        now = status_on(ended_on, reason, today)
        if not status_problems(status, d(day), taken, admitted_on=d(1), now=now, today=today):
            taken.append((d(day), status))
    in_order = sorted(taken, key=lambda row: row[0])  # a stable sort: of one day the last one counts
    assert status_on(*end_of(in_order), today) == in_order[-1][1]
    assert taken[-1][1] == in_order[-1][1]  # the last thing that was done holds


@pytest.mark.parametrize(
    ("status", "day", "now", "said"),
    [
        ("DISCHARGED", d(15), "ACTIVE", None),
        ("DISCHARGED", d(31), "ACTIVE", None),
        ("DISCHARGED", d(4), "ACTIVE", "admitted on 2026-01-05"),
        ("ACTIVE", d(15), "INACTIVE", None),
        ("ACTIVE", d(31), "INACTIVE", "in the future"),
        ("DISCHARGED", d(9), "INACTIVE", "2026-01-10"),
        ("INACTIVE", d(9), "INACTIVE", None),
    ],
)
def test_a_change_of_status_counts_from_a_day_that_makes_sense(
    status: str, day: date, now: str, said: str | None
) -> None:
    history = [(d(5), "ACTIVE"), (d(10), now)]
    problems = status_problems(status, day, history, admitted_on=d(5), now=now, today=d(20))
    assert any(said in problem for problem in problems) if said else problems == []


def test_a_primary_clinician_changes_from_today_or_a_day_since_the_last_change() -> None:
    assert change_of_clinician_problems(d(20), d(10), d(20)) == []
    assert change_of_clinician_problems(d(10), d(10), d(20)) == []
    assert change_of_clinician_problems(d(10), None, d(20)) == []
    assert "2026-01-10" in change_of_clinician_problems(d(9), d(10), d(20))[0]
    assert "today" in change_of_clinician_problems(d(21), d(10), d(20))[0]
