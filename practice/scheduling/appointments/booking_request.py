"""The booking request that booking, rescheduling and the waitlist share."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class BookingRequest:
    """A request to book an appointment. `moved_from` are the appointments that release their time in the same step."""

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
