"""Planning messages, in the transaction of what they tell of; and taking back those that were not sent yet."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from practice.messages.models import Message
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.security.installation import Outbox
from practice.security.work import Work
from practice.store.ids import new_id

MESSAGES = cast(Table, Message.__table__)  # as a table: nothing of what is put there is needed as objects


class Due(NamedTuple):
    """A message about an appointment to its client: what kind, when, and of a reminder how long before."""

    kind: str
    at: datetime
    appointment_id: UUID
    lead_minutes: int | None = None


class ToStaff(NamedTuple):
    """A message to somebody of the staff: what it is about has an id, and it is due at the instant of a rule."""

    kind: str
    at: datetime
    staff_id: UUID
    about_id: UUID


def channels_of(work: Work, client_id: UUID) -> frozenset[str]:
    """How the client wants to be told, as far as there is an address for it. Nobody wants nothing: then none."""
    about = work.db.execute(
        select(Client.reminders, Client.email, Client.phone).where(
            Client.tenant_id == work.tenant_id, Client.id == client_id
        )
    ).one()
    return channels_in(about)


def channels_in(about: Any) -> frozenset[str]:
    """From a row with the client's `reminders`, `email` and `phone`."""
    addresses = {"email": about.email, "sms": about.phone}
    return frozenset(channel for channel in about.reminders if addresses[channel])


def tell_client(work: Work, client_id: UUID, channels: Collection[str], messages: Iterable[Due]) -> None:
    rows = [
        message_row(work, due.kind, channel, due.at)
        | {"client_id": client_id, "appointment_id": due.appointment_id, "lead_minutes": due.lead_minutes}
        for due in messages
        for channel in sorted(channels)
    ]
    put(work, rows)


def tell_staff(work: Work, kind: str, staff_ids: Iterable[UUID], appointment_id: UUID | None = None) -> None:
    put(
        work,
        [
            message_row(work, kind, "email", work.now) | {"staff_id": staff_id, "appointment_id": appointment_id}
            for staff_id in sorted(set(staff_ids))
        ],
    )


def tell_staff_once(work: Work, messages: Iterable[ToStaff]) -> int:
    """What is due by a rule. What was told before is not told again, however often this runs; says how many are new."""
    rows = [
        message_row(work, told.kind, "email", told.at) | {"staff_id": told.staff_id, "about_id": told.about_id}
        for told in messages
    ]
    if not rows:
        return 0
    new = pg_insert(MESSAGES).on_conflict_do_nothing().returning(MESSAGES.c.id)
    return len(work.db.execute(new, rows).all())


def staff_with_role(work: Work, *roles: str) -> list[UUID]:
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.deactivated_at.is_(None))
    return list(work.db.scalars(query.where(Staff.roles.overlap(list(roles)))))


def take_back(work: Work, appointment_ids: Collection[UUID]) -> None:
    """What was planned about these appointments and has not been sent is never sent."""
    planned = update(Message).where(
        Message.tenant_id == work.tenant_id,
        Message.appointment_id.in_(list(appointment_ids)),
        Message.status == "PLANNED",
    )
    work.db.execute(planned.values(status="CANCELLED"), execution_options={"synchronize_session": False})


def waiting_messages(work: Work) -> Outbox:
    """What should have left by now."""
    query = select(func.count(), func.min(Message.due_at)).where(
        Message.tenant_id == work.tenant_id, Message.status == "PLANNED", Message.due_at <= work.now
    )
    return Outbox(*work.db.execute(query).one())


def message_row(work: Work, kind: str, channel: str, due_at: datetime) -> dict[str, Any]:
    return {
        **{"tenant_id": work.tenant_id, "id": new_id(), "kind": kind, "channel": channel, "due_at": due_at},
        **{"created_at": work.now, "client_id": None, "staff_id": None, "appointment_id": None, "lead_minutes": None},
    }


def put(work: Work, rows: list[dict[str, Any]]) -> None:
    if rows:
        work.db.execute(insert(MESSAGES), rows)
