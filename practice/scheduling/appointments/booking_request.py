"""A booking request: the values that booking, moving and the waitlist share."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Wanted:
    """What somebody asks to book. `moved_from` are appointments that give up their time for it in the same step."""

    client_id: UUID
    clinician_id: UUID
    service_code: str
    starts_at: datetime
    room_id: UUID | None = None
    telehealth: bool = False
    type: str | None = None
    group_session_id: UUID | None = None
    special_requests: str | None = None
    instructions: str | None = None
    moved_from: frozenset[UUID] = frozenset()
