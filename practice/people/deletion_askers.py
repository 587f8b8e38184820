"""The people who asked for the deletion of a client's data, as what they were then."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.local_time import date_of
from practice.people.models.clients import DeletionRequest
from practice.people.practice_time import local_today, zone_of
from practice.people.rules.clients import needs_guardian
from practice.security.work import Work

# The portal is in other hands if its account was replaced and the record changed in what decides whose it is. The name
# of a former guardian remains in what they signed in the portal.
ASKERS = text("""
    select
        d.id, d.asked_at, c.birth_date, c.emancipated, c.guardian_name,
        c.first_name || ' ' || c.last_name as client_name, s.first_name || ' ' || s.last_name as staff_name,
        d.asked_by = any(array[c.account_id, c.former_account_id]) is true as uses_portal,
        exists (
            select from audit_log as l
            where l.tenant_id = d.tenant_id and l.subject_id = d.client_id and l.action = 'client.changed'
                and l.at >= d.asked_at
                and l.details -> 'fields' ?| array['guardian_name', 'birth_date', 'emancipated']
        ) as portal_may_have_passed,
        (
            select n.signed_by_name from audit_log as l
            join consents as n on n.tenant_id = l.tenant_id and n.id = (l.details ->> 'consent_id')::uuid
            where l.tenant_id = d.tenant_id and l.subject_id = d.client_id and l.account_id = d.asked_by
                and l.action = 'consent.signed' and n.voided_at is null
            order by l.seq desc limit 1
        ) as signed_name,
        a.email,
        exists (
            select from deletion_requests as r
            where r.tenant_id = d.tenant_id and r.client_id = d.client_id and r.status = 'REDACTED'
        ) as is_redacted
    from deletion_requests as d
    join clients as c on c.tenant_id = d.tenant_id and c.id = d.client_id
    join accounts as a on a.id = d.asked_by
    left join staff as s on s.tenant_id = d.tenant_id and s.account_id = d.asked_by and not d.asked_in_portal
    where d.tenant_id = :tenant_id and d.id = any(:ids)
""")


class Asker(NamedTuple):
    """Who asked: staff, the client, the guardian, or a guardian who no longer has a say."""

    kind: Literal["staff", "client", "guardian", "former_guardian"]
    name: str | None
    email: str | None


def load_askers(work: Work, requests: Sequence[DeletionRequest]) -> dict[UUID, Asker]:
    """Return who made each request. The portal shows neither name nor address, nor do records of redacted clients."""
    today, zone = local_today(work), zone_of(work)
    parameters = {"tenant_id": work.tenant_id, "ids": [request.id for request in requests]}
    askers = {}
    for row in work.db.execute(ASKERS, parameters):
        asked_on = date_of(row.asked_at, zone)
        by_guardian = needs_guardian(row.birth_date, row.emancipated, asked_on)
        of_age_since = by_guardian and not needs_guardian(row.birth_date, row.emancipated, today)
        if row.staff_name is not None:
            asker = Asker("staff", row.staff_name, None)
        elif of_age_since or (row.portal_may_have_passed and not row.uses_portal):
            asker = Asker("former_guardian", row.signed_name, row.email)
        elif by_guardian:
            asker = Asker("guardian", row.guardian_name, row.email)
        else:
            asker = Asker("client", row.client_name, row.email)
        hidden = work.actor.client_id is not None or (row.is_redacted and asker.kind != "staff")
        askers[row.id] = asker._replace(name=None, email=None) if hidden else asker
    return askers


def find_asker(work: Work, request: DeletionRequest) -> Asker | None:
    """Return who made the request, or None for one of the installation itself."""
    return load_askers(work, [request]).get(request.id)
