"""Queuing of messages in the transaction that causes them, and cancellation of messages not yet sent."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Table, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from practice.local_time import date_of
from practice.messages.models import Message
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.rules.clients import choose_contact
from practice.security.installation import MessageBacklog
from practice.security.work import Work
from practice.store.ids import new_id

REMINDER = "REMINDER"  # the kind of messages before an appointment; all others are news
NEWS = "NEWS"  # any other kind, where only the channels matter
MESSAGES = cast(Table, Message.__table__)  # the plain table: inserted rows are not needed as ORM objects


class ClientMessage(NamedTuple):
    """A message to a client about an appointment; a reminder also has its lead time."""

    kind: str
    due_at: datetime
    appointment_id: UUID
    lead_minutes: int | None = None


class StaffMessage(NamedTuple):
    """A message to a staff member about the record with `about_id`, due at a time set by a rule."""

    kind: str
    due_at: datetime
    staff_id: UUID
    about_id: UUID


def load_recipient(work: Work, client_id: UUID) -> Any:
    """Return the row of the client that the channels of their messages depend on."""
    return load_recipients(work, [client_id])[client_id]


def load_recipients(work: Work, client_ids: Collection[UUID]) -> dict[UUID, Any]:
    """Return the rows of the clients that the channels of their messages depend on."""
    contacts = (Client.email, Client.phone, Client.guardian_email, Client.guardian_phone)
    query = select(Client.id, Practice.time_zone, Client.reminders, Client.birth_date, Client.emancipated, *contacts)
    query = query.join(Practice, Practice.id == Client.tenant_id)
    rows = work.db.execute(query.where(Client.tenant_id == work.tenant_id, Client.id.in_(list(client_ids))))
    return {row.id: row for row in rows}


def load_channels(work: Work, client_id: UUID) -> Sequence[str]:
    """Return the channel of news to the client, or to a minor's guardian, now; empty if nobody can be reached."""
    return find_channels(load_recipient(work, client_id), NEWS, work.now)


def find_channels(recipient: Any, kind: str, at: datetime) -> Sequence[str]:
    """Return the channels of a message that is due at that time; empty if nobody can be reached.

    The client chooses those of reminders, of which they may have none. News, such as a cancellation, always goes out:
    by email, or else by SMS.
    """
    contact = choose_contact(recipient, date_of(at, ZoneInfo(recipient.time_zone)))
    reachable = [channel for channel, address in (("email", contact.email), ("sms", contact.phone)) if address]
    if kind == REMINDER:
        return [channel for channel in reachable if channel in recipient.reminders]
    return reachable[:1]


def queue_client_messages(work: Work, client_id: UUID, recipient: Any, messages: Iterable[ClientMessage]) -> None:
    """Queue the messages, each over its channels when it is due. `recipient` is as from `load_recipient`."""
    rows = [
        build_row(work, message.kind, channel, message.due_at)
        | {"client_id": client_id, "appointment_id": message.appointment_id, "lead_minutes": message.lead_minutes}
        for message in messages
        for channel in find_channels(recipient, message.kind, message.due_at)
    ]
    if rows:
        statement = pg_insert(MESSAGES)
        # A message that was cancelled with its cause, such as a no-show by mistake, is planned again with the next one.
        columns = ["tenant_id", "appointment_id", "kind", "lead_minutes", "channel", "client_id", "staff_id"]
        statement = statement.on_conflict_do_update(
            index_elements=columns,
            index_where=MESSAGES.c.appointment_id.is_not(None),
            set_={"status": "PLANNED", "due_at": statement.excluded.due_at},
            where=MESSAGES.c.status == "CANCELLED",
        )
        work.db.execute(statement, rows)


def queue_staff_messages(work: Work, kind: str, staff_ids: Iterable[UUID], *, about_id: UUID) -> None:
    """Queue a message to each of the staff about the record with `about_id`."""
    insert_rows(
        work,
        [
            build_row(work, kind, "email", work.now) | {"staff_id": staff_id, "about_id": about_id}
            for staff_id in sorted(set(staff_ids))
        ],
    )


def queue_staff_messages_once(work: Work, messages: Iterable[StaffMessage]) -> int:
    """Queue messages that are due by a rule, skip those queued earlier, and return how many are new."""
    rows = [
        build_row(work, message.kind, "email", message.due_at)
        | {"staff_id": message.staff_id, "about_id": message.about_id}
        for message in messages
    ]
    if not rows:
        return 0
    statement = pg_insert(MESSAGES).on_conflict_do_nothing().returning(MESSAGES.c.id)
    return len(work.db.execute(statement, rows).all())


def list_staff_with_roles(work: Work, *roles: str) -> list[UUID]:
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.deactivated_at.is_(None))
    return list(work.db.scalars(query.where(Staff.roles.overlap(list(roles)))))


def cancel_pending(work: Work, appointment_ids: Collection[UUID]) -> None:
    """Cancel the messages about these appointments that are planned and not sent."""
    planned = update(Message).where(
        Message.tenant_id == work.tenant_id,
        Message.appointment_id.in_(list(appointment_ids)),
        Message.status == "PLANNED",
    )
    work.db.execute(planned.values(status="CANCELLED"), execution_options={"synchronize_session": False})


def cancel_all_pending(work: Work) -> None:
    """Cancel all messages of the practice that are planned and not sent."""
    planned = update(Message).where(Message.tenant_id == work.tenant_id, Message.status == "PLANNED")
    work.db.execute(planned.values(status="CANCELLED"), execution_options={"synchronize_session": False})


def cancel_reminders(work: Work, appointment_ids: Collection[UUID], channels: Collection[str]) -> None:
    """Cancel the planned reminders of these appointments that are still to come, or go out on none of the channels."""
    planned = update(Message).where(
        Message.tenant_id == work.tenant_id,
        Message.appointment_id.in_(list(appointment_ids)),
        Message.kind == REMINDER,
        Message.status == "PLANNED",
        or_(Message.due_at > work.now, Message.channel.not_in(list(channels))),
    )
    work.db.execute(planned.values(status="CANCELLED"), execution_options={"synchronize_session": False})


def load_backlog(work: Work) -> MessageBacklog:
    """Return how many messages are overdue and when the oldest was due."""
    query = select(func.count(), func.min(Message.due_at)).where(
        Message.tenant_id == work.tenant_id, Message.status == "PLANNED", Message.due_at <= work.now
    )
    return MessageBacklog(*work.db.execute(query).one())


def build_row(work: Work, kind: str, channel: str, due_at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": work.tenant_id,
        "id": new_id(),
        "kind": kind,
        "channel": channel,
        "due_at": due_at,
        "created_at": work.now,
        "client_id": None,
        "staff_id": None,
        "appointment_id": None,
        "lead_minutes": None,
    }


def insert_rows(work: Work, rows: list[dict[str, Any]]) -> None:
    if rows:
        work.db.execute(insert(MESSAGES), rows)
