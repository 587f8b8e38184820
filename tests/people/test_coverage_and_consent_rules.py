"""Coverages that stand in each other's way, and who signs a consent when."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.consents import date_problems, signing_problems
from practice.people.rules.coverages import Term, answer_is_fresh, coverage_problems, overlap

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
days = st.dates(date(2026, 1, 1), date(2026, 3, 1))


@given(one=st.tuples(days, st.none() | days), other=st.tuples(days, st.none() | days))
def test_two_terms_overlap_when_a_day_is_in_both(one: Any, other: Any) -> None:
    every_day = [date(2026, 1, 1) + timedelta(number) for number in range(100)]
    both = [
        day for day in every_day if all(term[0] <= day and (term[1] is None or day <= term[1]) for term in (one, other))
    ]
    assert overlap(Term(1, *one), Term(1, *other)) == bool(both)


@pytest.mark.parametrize(
    ("term", "clashes"),
    [
        (Term(1, date(2026, 2, 1), None), True),
        (Term(1, date(2026, 1, 31), None), True),
        (Term(1, date(2025, 1, 1), date(2026, 1, 1)), True),
        (Term(1, date(2025, 1, 1), date(2025, 12, 31)), False),
        (Term(2, date(2026, 1, 1), None), False),
    ],
)
def test_on_one_day_there_is_one_coverage_of_a_rank(term: Term, clashes: bool) -> None:
    problems = coverage_problems(term, [Term(1, date(2026, 1, 1), None)])
    assert bool(problems) == clashes
    assert all("primary coverage in force from 2026-01-01 without an end" in problem for problem in problems)


def test_a_coverage_does_not_end_before_it_begins() -> None:
    assert len(coverage_problems(Term(1, date(2026, 2, 1), date(2026, 1, 31)), [])) == 1
    assert coverage_problems(Term(1, date(2026, 2, 1), date(2026, 2, 1)), []) == []


def test_an_answer_is_fresh_for_so_many_hours() -> None:
    assert answer_is_fresh(NOW - timedelta(hours=24) + timedelta(microseconds=1), 24, NOW)
    assert not answer_is_fresh(NOW - timedelta(hours=24), 24, NOW)


@pytest.mark.parametrize(
    ("kind", "signer", "guardian", "minor", "fine"),
    [
        ("INFORMED_TREATMENT", "Casey Example", None, False, True),
        ("INFORMED_TREATMENT", "Casey Example", "Kin Example", True, True),
        ("GUARDIAN", "kin  EXAMPLE ", "Kin Example", True, True),
        ("GUARDIAN", "Casey Example", "Kin Example", True, False),
        ("GUARDIAN", "Kin Example", None, True, False),
        ("GUARDIAN", None, None, True, False),
        ("GUARDIAN", "A Carer", None, False, True),
    ],
)
def test_the_guardians_consent_is_the_guardians(
    kind: str, signer: str | None, guardian: str | None, minor: bool, fine: bool
) -> None:
    assert (signing_problems(kind, signer, guardian, minor) == []) == fine


@pytest.mark.parametrize(
    ("signed", "expires_on", "revoked", "said"),
    [
        (timedelta(0), None, None, []),
        (timedelta(seconds=1), None, None, ["signature lies in the future"]),
        (timedelta(0), date(2026, 3, 18), None, ["expires before it counts"]),
        (timedelta(0), date(2026, 3, 19), None, []),
        (-timedelta(days=2), None, -timedelta(days=2), []),
        (-timedelta(days=2), None, timedelta(seconds=1), ["revocation lies in the future"]),
        (-timedelta(days=2), None, -timedelta(days=3), ["before the signature"]),
    ],
)
def test_the_days_of_a_consent_follow_one_another(
    signed: timedelta, expires_on: date | None, revoked: timedelta | None, said: list[str]
) -> None:
    at = NOW + signed
    problems = date_problems(at, at.date(), expires_on, None if revoked is None else NOW + revoked, NOW)
    assert len(problems) == len(said)
    assert all(words in problem for words, problem in zip(said, problems, strict=True))
