"""What needs somebody on a page, the most pressing first: the records concerned, and the action that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Urgency = Literal["today", "this_week", "this_month", "fine"]
Action = Literal["sign_notes", "rebook_clients", "review_plans", "write_safety_plans", "book_supervision", "open_rows"]
ORDER: tuple[Urgency, ...] = ("today", "this_week", "this_month", "fine")
MAX_IDS = 100


@dataclass(frozen=True)
class Need:
    """Something that waits for somebody."""

    key: str
    urgency: Urgency
    title: str
    detail: str
    count: int
    action: Action | None = None
    action_label: str = ""
    record_ids: Sequence[UUID] = ()


def sort_needs(needs: Sequence[Need]) -> list[Need]:
    """Return what is most pressing first; equally pressing ones stay in their order."""
    return sorted(needs, key=lambda need: ORDER.index(need.urgency))
