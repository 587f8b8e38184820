"""How the reasons are kept for which a note was returned to its author: all of them, the last one last."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Return(NamedTuple):
    at: datetime
    by_id: str
    reason: str


def written_returns(returns: Iterable[Return]) -> str:
    return json.dumps([[one.at.isoformat(), one.by_id, one.reason] for one in returns], ensure_ascii=False)


def returns_in(text: str | None) -> list[Return]:
    return [Return(datetime.fromisoformat(at), by_id, reason) for at, by_id, reason in json.loads(text or "[]")]
