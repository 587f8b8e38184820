"""Rules about overlapping coverages, and about signers and dates of consents."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.people.rules.consents import date_problems, signing_problems
from practice.people.rules.coverages import CoverageTerm, coverage_problems, is_overlapping, is_response_fresh

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
days = st.dates(date(2026, 1, 1), date(2026, 3, 1))


@given(term=st.tuples(days, st.none() | days), other=st.tuples(days, st.none() | days))
def test_two_terms_overlap_when_a_day_is_in_both(term: Any, other: Any) -> None:
    all_days = [date(2026, 1, 1) + timedelta(number) for number in range(100)]
    shared_days = [
        day for day in all_days if all(start <= day and (end is None or day <= end) for start, end in (term, other))
    ]
    assert is_overlapping(CoverageTerm(1, *term), CoverageTerm(1, *other)) == bool(shared_days)


@pytest.mark.parametrize(
    ("term", "conflicts"),
    [
        (CoverageTerm(1, date(2026, 2, 1), None), True),
        (CoverageTerm(1, date(2026, 1, 31), None), True),
        (CoverageTerm(1, date(2025, 1, 1), date(2026, 1, 1)), True),
        (CoverageTerm(1, date(2025, 1, 1), date(2025, 12, 31)), False),
        (CoverageTerm(2, date(2026, 1, 1), None), False),
    ],
)
def test_a_day_has_at_most_one_coverage_of_a_rank(term: CoverageTerm, conflicts: bool) -> None:
    problems = coverage_problems(term, [CoverageTerm(1, date(2026, 1, 1), None)])
    assert bool(problems) == conflicts
    assert all("primary coverage from 2026-01-01 with no end date" in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("begins", "advice"),
    [
        (date(2026, 2, 1), "End it before this one begins, or choose another rank."),
        (date(2025, 2, 1), "End this one before that one begins, or choose another rank."),
        (date(2026, 1, 1), "Change that one, or choose another rank."),
    ],
)
def test_the_advice_about_an_overlap_can_be_followed(begins: date, advice: str) -> None:
    (problem,) = coverage_problems(CoverageTerm(1, begins, None), [CoverageTerm(1, date(2026, 1, 1), None)])
    assert problem.message.endswith(advice)


def test_a_coverage_does_not_end_before_it_begins() -> None:
    assert len(coverage_problems(CoverageTerm(1, date(2026, 2, 1), date(2026, 1, 31)), [])) == 1
    assert coverage_problems(CoverageTerm(1, date(2026, 2, 1), date(2026, 2, 1)), []) == []


def test_a_response_is_fresh_for_the_given_hours() -> None:
    assert is_response_fresh(NOW - timedelta(hours=24) + timedelta(microseconds=1), 24, NOW)
    assert not is_response_fresh(NOW - timedelta(hours=24), 24, NOW)


@pytest.mark.parametrize(
    ("signer", "guardian", "minor", "valid"),
    [
        ("Casey Example", None, False, True),
        ("casey  EXAMPLE", "Kin Example", False, True),
        ("Kin Example", "Kin Example", False, False),
        (None, None, False, False),
        ("Casey Example", "Kin Example", True, False),
        ("Kin Example", "Kin Example", True, True),
        ("kin  EXAMPLE ", "Kin Example", True, True),
        ("Casey Example", None, True, False),
        (None, None, True, False),
        ("Case\u0301y O\u2019Example", None, False, True),
        ("Jose\u0301 D\u2019Arc-Bell", "Jos\u00e9 D'Arc Bell", True, True),
        ("Jose DArc Bell", "Jos\u00e9 D'Arc Bell", True, True),
        ("Jose Arc Bell", "Jos\u00e9 D'Arc Bell", True, False),
        ("\u0930\u093e\u092e", "\u0930\u094b\u092e", True, False),
    ],
)
def test_the_guardian_signs_for_a_minor_and_others_for_themselves(
    signer: str | None, guardian: str | None, minor: bool, valid: bool
) -> None:
    assert (signing_problems(signer, "Casey Example", guardian, minor) == []) == valid


@pytest.mark.parametrize(
    ("signed", "expires_on", "revoked", "fragments"),
    [
        (timedelta(0), None, None, []),
        (timedelta(seconds=1), None, None, ["signature is in the future"]),
        (timedelta(0), date(2026, 3, 18), None, ["expires on or before the date of the signature"]),
        (timedelta(0), date(2026, 3, 19), None, []),
        (timedelta(0), date(2027, 3, 18), None, []),
        (timedelta(0), date(2027, 3, 19), None, ["at most a year after its signature. Choose 2027-03-18"]),
        (date(2024, 2, 29) - NOW.date(), date(2025, 2, 28), None, []),
        (date(2024, 2, 29) - NOW.date(), date(2025, 3, 1), None, ["Choose 2025-02-28 or earlier"]),
        (-timedelta(days=2), None, -timedelta(days=2), []),
        (-timedelta(days=2), None, timedelta(seconds=1), ["revocation is in the future"]),
        (-timedelta(days=2), None, -timedelta(days=3), ["before the signature"]),
    ],
)
def test_the_dates_of_a_consent_are_in_order(
    signed: timedelta, expires_on: date | None, revoked: timedelta | None, fragments: list[str]
) -> None:
    at = NOW + signed
    problems = date_problems(at, at.date(), expires_on, None if revoked is None else NOW + revoked, NOW)
    assert len(problems) == len(fragments)
    assert all(fragment in problem.message for fragment, problem in zip(fragments, problems, strict=True))
