"""Rules about coverages: dates, overlaps, and how long a payer's response is fresh."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from practice.errors import FieldProblem

RANKS = {1: "primary", 2: "secondary", 3: "tertiary"}


class CoverageTerm(NamedTuple):
    """The rank and dates of a coverage; the last day is included."""

    rank: int
    effective_on: date
    ends_on: date | None


def coverage_problems(term: CoverageTerm, others: Iterable[CoverageTerm]) -> list[FieldProblem]:
    """Check a coverage against the client's others: a client has at most one coverage of a rank on a day."""
    problems = []
    if term.ends_on is not None and term.ends_on < term.effective_on:
        problems.append(FieldProblem("ends_on", "The coverage ends before it begins. Check both dates."))
    conflict = next((other for other in others if other.rank == term.rank and is_overlapping(term, other)), None)
    if conflict is not None:
        if conflict.effective_on < term.effective_on:
            advice = "End it before this one begins"
        elif conflict.effective_on > term.effective_on:
            advice = "End this one before that one begins"
        else:
            advice = "Change that one"
        until = f"until {conflict.ends_on}" if conflict.ends_on else "with no end date"
        message = (
            f"There is a {RANKS[term.rank]} coverage from {conflict.effective_on} {until}. "
            f"{advice}, or choose another rank."
        )
        problems.append(FieldProblem("rank", message))
    return problems


def past_end_problems(ends_on: date | None, admitted_on: date) -> list[FieldProblem]:
    """Return why a coverage cannot end on this date: it would cover none of the client's visits."""
    if ends_on is not None and ends_on < admitted_on:
        message = f"The coverage ends before the client's admission on {admitted_on}. Check `ends_on`."
        return [FieldProblem("ends_on", message)]
    return []


def is_overlapping(term: CoverageTerm, other: CoverageTerm) -> bool:
    """Return whether both are in force on some day."""
    latest_start = max(term.effective_on, other.effective_on)
    return all(ends_on is None or ends_on >= latest_start for ends_on in (term.ends_on, other.ends_on))


def is_response_fresh(asked_at: datetime, hours: int, now: datetime) -> bool:
    return now - asked_at < timedelta(hours=hours)
