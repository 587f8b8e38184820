"""What a booking is judged by, read in few round trips: the client's standing, the service, the people and the room."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.errors import Invalid
from practice.local_time import instant
from practice.people.rules.consents import Consent, treatment_changed_on
from practice.scheduling.appointments.rules.booking_eligibility import ClientStanding
from practice.scheduling.catalog.quotes import QuoteRequest
from practice.security.work import Work

FACTS = text("""
    select
        p.time_zone,
        c.id as client_id, c.birth_date, c.emancipated, c.ended_on, c.self_pay, c.reminders, c.email, c.phone,
        exists (
            select from appointments as a
            where a.tenant_id = p.id and a.client_id = c.id and a.status = 'COMPLETED'
        ) as has_completed_visit,
        g.kinds, g.signed, g.expires, g.revoked,
        w.plans, w.begun,
        v.payer_id, v.copay_cents, v.verified_at,
        s.id as service_id, s.code as service_code, s.kind as service_kind, s.active as service_active,
        s.capacity as service_capacity, s.cpt_code,
        coalesce(q.ends_at - q.starts_at, make_interval(mins => coalesce(o.minutes, s.minutes))) as length,
        coalesce(o.offered, true) as offered, o.price_cents as clinician_cents,
        t.id as clinician_id,
        'clinician' = any(t.roles) and t.deactivated_at is null as clinician_active, t.left_on,
        r.id as room_id, r.active as room_active, r.capacity as room_capacity,
        l.on_date
    from practices as p
    cross join lateral (select (cast(:starts_at as timestamptz) at time zone p.time_zone)::date as on_date) as l
    left join clients as c on c.tenant_id = p.id and c.id = :client_id
    left join services as s on s.tenant_id = p.id and s.code = :service_code
    left join staff as t on t.tenant_id = p.id and t.id = :clinician_id
    left join clinician_services as o on o.tenant_id = p.id and o.clinician_id = t.id and o.service_id = s.id
    left join rooms as r on r.tenant_id = p.id and r.id = :room_id
    left join group_sessions as q on q.tenant_id = p.id and q.id = :group_session_id
    cross join lateral (
        select
            array_agg(kind) as kinds, array_agg(signed_at) as signed, array_agg(expires_on) as expires,
            array_agg(revoked_at) as revoked
        from consents where tenant_id = p.id and client_id = c.id and voided_at is null
    ) as g
    cross join lateral (
        select
            array_agg(kind order by starts_on, created_at, id) as plans,
            array_agg(starts_on order by starts_on, created_at, id) as begun
        from treatment_plans where tenant_id = p.id and client_id = c.id and voided_at is null
    ) as w
    left join lateral (
        select b.payer_id, b.copay_cents, b.verified_at from coverages as b
        where b.tenant_id = p.id and b.client_id = c.id and b.voided_at is null
            and b.effective_on <= l.on_date and (b.ends_on is null or b.ends_on >= l.on_date)
        order by b.rank, coalesce(b.external_id, b.id::text)
        limit 1
    ) as v on true
    where p.id = :tenant_id
""")


@dataclass(frozen=True)
class Facts:
    """Of one client, clinician, service and room at a start. `row` holds the columns of the query above."""

    row: Any
    zone: ZoneInfo
    standing: ClientStanding

    @property
    def quote_request(self) -> QuoteRequest:
        return QuoteRequest(**{name: getattr(self.row, name) for name in QuoteRequest._fields})


def facts_of(
    work: Work,
    *,
    client_id: UUID,
    clinician_id: UUID,
    service_code: str,
    room_id: UUID | None,
    starts_at: datetime,
    group_session_id: UUID | None = None,
) -> Facts:
    """Refuses what refers to nothing, all of it at once. A seat is as long as its group is."""
    wanted = {"client_id": client_id, "clinician_id": clinician_id, "service_code": service_code, "room_id": room_id}
    more = {"starts_at": starts_at, "group_session_id": group_session_id, "tenant_id": work.tenant_id}
    row = work.db.execute(FACTS, wanted | more).one()
    unknown = [
        f"There is no such {word} (`{name}`)."
        for name, word, found in (
            ("client_id", "client", row.client_id),
            ("clinician_id", "clinician", row.clinician_id),
            ("service_code", "service", row.service_id),
            ("room_id", "room", row.room_id),
        )
        if found is None and wanted[name] is not None
    ]
    if unknown:
        raise Invalid(unknown)
    return Facts(row, ZoneInfo(row.time_zone), standing_of(row))


def standing_of(row: Any) -> ClientStanding:
    consents = zip(row.kinds, row.signed, row.expires, row.revoked, strict=True) if row.kinds else ()
    changed_on = treatment_changed_on(zip(row.begun, row.plans, strict=True) if row.plans else ())
    return ClientStanding(
        birth_date=row.birth_date,
        emancipated=row.emancipated,
        ended_on=row.ended_on,
        has_completed_visit=row.has_completed_visit,
        treatment_changed_at=instant(changed_on, time.min, ZoneInfo(row.time_zone)) if changed_on else None,
        consents=tuple(Consent(*one) for one in consents),
    )
