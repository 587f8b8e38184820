"""What needs somebody on a page, the most pressing first: the records concerned, and the action that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

from practice.text import format_count

Urgency = Literal["today", "this_week", "this_month", "fine"]
Action = Literal[
    "sign_notes", "show_clients", "show_staff", "show_visits", "decide_requests", "open_rows", "remind", "show_check"
]
ORDER: tuple[Urgency, ...] = ("today", "this_week", "this_month", "fine")
MAX_LISTED = 100


class NeedRecord(NamedTuple):
    """A record that a need is about: a client, a staff member or a visit."""

    id: UUID
    name: str


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
    records: Sequence[NeedRecord] = ()


def format_found(number: int, noun: str) -> str:
    """Return the number with its noun, and that it may be more where a list ends."""
    return f"{'At least ' if number >= MAX_LISTED else ''}{format_count(number, noun)}"


def sort_needs(needs: Sequence[Need]) -> list[Need]:
    """Return what is most pressing first; equally pressing ones stay in their order."""
    return sorted(needs, key=lambda need: ORDER.index(need.urgency))
