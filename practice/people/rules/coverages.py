"""Rules about coverages: their dates, and which of them stand in each other's way."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

RANKS = {1: "primary", 2: "secondary", 3: "tertiary"}


class Term(NamedTuple):
    rank: int
    effective_on: date
    ends_on: date | None


def coverage_problems(term: Term, others: Iterable[Term]) -> list[str]:
    """Of a coverage beside the client's others. On one day there is one of a rank."""
    problems = []
    if term.ends_on is not None and term.ends_on < term.effective_on:
        problems.append("The coverage ends before it begins.")
    clash = next((other for other in others if other.rank == term.rank and overlap(term, other)), None)
    if clash is not None:
        until = f"until {clash.ends_on}" if clash.ends_on else "without an end"
        problems.append(
            f"There is a {RANKS[term.rank]} coverage in force from {clash.effective_on} {until}. "
            "End that one before this one begins, or choose another rank."
        )
    return problems


def overlap(one: Term, other: Term) -> bool:
    """Both are in force on some day; the last day counts."""
    first = max(one.effective_on, other.effective_on)
    return all(term.ends_on is None or term.ends_on >= first for term in (one, other))


def answer_is_fresh(asked_at: datetime, hours: int, now: datetime) -> bool:
    return now - asked_at < timedelta(hours=hours)
