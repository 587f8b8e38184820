"""Verbs about what changes in a client's standing: their status, and who their primary clinician is.

Rows are only added, each with the date from which it counts; the client's record follows the last of them.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from practice.errors import Invalid, NotFound
from practice.people.access import is_within
from practice.people.clients import Seen, clinician_problems, lock_client, seen
from practice.people.models.clients import ClientStatus, PrimaryClinician
from practice.people.practice_time import local_today
from practice.people.rules import clients as rules
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.records import apply


def list_statuses(work: Work, scope: Scope, client_id: UUID) -> list[ClientStatus]:
    """Latest first."""
    if not is_within(work, scope, client_id):
        raise NotFound
    work.record("client.read", "client", client_id, part="statuses")
    return statuses_of(work, client_id)[::-1]


def change_status(
    work: Work, scope: Scope, client_id: UUID, status: str, effective_on: date | None = None, reason: str | None = None
) -> Seen:
    """From a day on, today where nothing else is said."""
    client = lock_client(work, scope, client_id)
    today = local_today(work)
    day = effective_on or today
    history = [(row.effective_on, row.status) for row in statuses_of(work, client_id)]
    if not history and client.ended_on is not None:  # a record that came with an end, and no history of it
        history = [(client.ended_on, rules.status_on(client.ended_on, client.end_reason, client.ended_on))]
    now = rules.status_on(client.ended_on, client.end_reason, today)
    problems = rules.status_problems(status, day, history, admitted_on=client.admitted_on, now=now, today=today)
    if problems:
        raise Invalid(problems)
    work.db.add(
        ClientStatus(
            tenant_id=work.tenant_id,
            client_id=client_id,
            status=status,
            effective_on=day,
            reason=reason,
            set_at=work.now,
            set_by=work.actor.account_id,
        )
    )
    ended_on, end_reason = rules.end_of([*history, (day, status)])
    apply(client, {"ended_on": ended_on, "end_reason": end_reason})
    work.record("client.status_changed", "client", client_id, status=status, effective_on=day.isoformat())
    return seen(work, client, today)


def list_primary_clinicians(work: Work, scope: Scope, client_id: UUID) -> list[PrimaryClinician]:
    """Latest first."""
    if not is_within(work, scope, client_id):
        raise NotFound
    work.record("client.read", "client", client_id, part="primary clinicians")
    return primary_clinicians_of(work, client_id)


def change_primary_clinician(
    work: Work, scope: Scope, client_id: UUID, clinician_id: UUID | None, effective_on: date | None = None
) -> Seen:
    """Into somebody else's care, or nobody's."""
    client = lock_client(work, scope, client_id)
    today = local_today(work)
    day = effective_on or today
    last = next(iter(primary_clinicians_of(work, client_id)), None)
    problems = rules.change_of_clinician_problems(day, last.effective_on if last else None, today)
    if clinician_id is not None:
        problems += clinician_problems(work, clinician_id, today)
    if problems:
        raise Invalid(problems)
    work.db.add(
        PrimaryClinician(
            tenant_id=work.tenant_id,
            client_id=client_id,
            clinician_id=clinician_id,
            effective_on=day,
            set_at=work.now,
            set_by=work.actor.account_id,
        )
    )
    apply(client, {"primary_clinician_id": clinician_id})
    work.record("client.primary_clinician_changed", "client", client_id, effective_on=day.isoformat())
    return seen(work, client, today)


def statuses_of(work: Work, client_id: UUID) -> list[ClientStatus]:
    """In the order in which they count; of one day the last one set does."""
    query = select(ClientStatus).where(ClientStatus.tenant_id == work.tenant_id, ClientStatus.client_id == client_id)
    return list(work.db.scalars(query.order_by(ClientStatus.effective_on, ClientStatus.set_at, ClientStatus.id)))


def primary_clinicians_of(work: Work, client_id: UUID) -> list[PrimaryClinician]:
    row = PrimaryClinician
    query = select(row).where(row.tenant_id == work.tenant_id, row.client_id == client_id)
    return list(work.db.scalars(query.order_by(row.effective_on.desc(), row.set_at.desc(), row.id.desc())))
