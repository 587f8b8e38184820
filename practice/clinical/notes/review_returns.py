"""Review returns: the reasons why a supervisor returned a note to its author, stored as JSON, oldest first."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class ReviewReturn(NamedTuple):
    """One return of a note to its author."""

    at: datetime
    by_id: str
    reason: str


def dump_review_returns(returns: Iterable[ReviewReturn]) -> str:
    """Return the review returns as JSON."""
    return json.dumps([[item.at.isoformat(), item.by_id, item.reason] for item in returns], ensure_ascii=False)


def parse_review_returns(text: str | None) -> list[ReviewReturn]:
    """Return the review returns read from JSON."""
    return [ReviewReturn(datetime.fromisoformat(at), by_id, reason) for at, by_id, reason in json.loads(text or "[]")]
