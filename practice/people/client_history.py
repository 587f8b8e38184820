"""The history of a client's status and primary clinician.

Rows are only added, each with its effective date. A status replaces those set before it for its day and later ones, and
the client's record follows what remains.
"""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from practice.errors import Invalid, NotFound
from practice.people.access import can_see_client
from practice.people.clients import ClientView, clinician_problems, lock_client, view_of
from practice.people.models.clients import ClientStatus, PrimaryClinician
from practice.people.practice_time import local_today
from practice.people.rules import clients as rules
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.records import update_versioned


def list_statuses(work: Work, scope: Scope, client_id: UUID) -> list[tuple[ClientStatus, bool]]:
    """Return the client's status changes, latest first, and whether each is in force."""
    if not can_see_client(work, scope, client_id):
        raise NotFound
    work.record("client.read", "client", client_id, part="statuses")
    statuses = load_statuses(work, client_id)
    in_force = {row.id for _, row in rules.list_changes_in_force((row.effective_on, row) for row in statuses)}
    statuses.sort(key=lambda row: (row.effective_on, row.set_at, row.id), reverse=True)
    return [(row, row.id in in_force) for row in statuses]


def change_status(
    work: Work, scope: Scope, client_id: UUID, status: str, effective_on: date | None = None, reason: str | None = None
) -> ClientView:
    """Change the client's status from a date on (default: today), and cancel changes planned for later days."""
    client = lock_client(work, scope, client_id)
    today = local_today(work)
    day = effective_on or today
    statuses = load_statuses(work, client_id)
    history = [(row.effective_on, row.status) for row in statuses]
    if not history and client.ended_on is not None:  # an imported record that has an end date but no history
        history = [(client.ended_on, rules.derive_status(client.ended_on, client.end_reason, client.ended_on))]
    current_status = rules.derive_status(client.ended_on, client.end_reason, today)
    problems = rules.status_problems(
        status, day, history, admitted_on=client.admitted_on, current_status=current_status, today=today
    )
    if problems:
        raise Invalid(problems)
    work.db.add(
        ClientStatus(
            tenant_id=work.tenant_id,
            client_id=client_id,
            status=status,
            effective_on=day,
            reason=reason,
            set_at=max([work.now, *(row.set_at + timedelta(microseconds=1) for row in statuses)]),
            set_by=work.actor.account_id,
        )
    )
    ended_on, end_reason = rules.derive_end([*history, (day, status)])
    update_versioned(client, {"ended_on": ended_on, "end_reason": end_reason})
    work.record("client.status_changed", "client", client_id, status=status, effective_on=day.isoformat())
    return view_of(work, client, today)


def list_primary_clinicians(work: Work, scope: Scope, client_id: UUID) -> list[PrimaryClinician]:
    """Return the client's primary clinicians, latest first."""
    if not can_see_client(work, scope, client_id):
        raise NotFound
    work.record("client.read", "client", client_id, part="primary clinicians")
    return load_primary_clinicians(work, client_id)


def change_primary_clinician(
    work: Work, scope: Scope, client_id: UUID, clinician_id: UUID | None, effective_on: date | None = None
) -> ClientView:
    """Assign another primary clinician, or none, from a date on (default: today)."""
    client = lock_client(work, scope, client_id)
    today = local_today(work)
    day = effective_on or today
    latest = next(iter(load_primary_clinicians(work, client_id)), None)
    problems = rules.clinician_change_problems(day, latest.effective_on if latest else None, today)
    if clinician_id is not None:
        problems += clinician_problems(work, "clinician_id", clinician_id, today)
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
    update_versioned(client, {"primary_clinician_id": clinician_id})
    work.record("client.primary_clinician_changed", "client", client_id, effective_on=day.isoformat())
    return view_of(work, client, today)


def load_statuses(work: Work, client_id: UUID) -> list[ClientStatus]:
    """Return status changes in the order in which they were set."""
    query = select(ClientStatus).where(ClientStatus.tenant_id == work.tenant_id, ClientStatus.client_id == client_id)
    return list(work.db.scalars(query.order_by(ClientStatus.set_at, ClientStatus.id)))


def load_primary_clinicians(work: Work, client_id: UUID) -> list[PrimaryClinician]:
    query = select(PrimaryClinician).where(
        PrimaryClinician.tenant_id == work.tenant_id, PrimaryClinician.client_id == client_id
    )
    query = query.order_by(
        PrimaryClinician.effective_on.desc(), PrimaryClinician.set_at.desc(), PrimaryClinician.id.desc()
    )
    return list(work.db.scalars(query))
