"""The booking context, loaded in one round trip: the client's eligibility, the service, the clinician and the room."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.errors import FieldProblem, Invalid
from practice.local_time import to_instant
from practice.people.rules.consents import ConsentTerm, find_treatment_change
from practice.scheduling.appointments.rules.booking_eligibility import ClientStanding
from practice.scheduling.catalog.quotes import QuoteRequest
from practice.security.work import Work

BOOKING_CONTEXT_SQL = text("""
    select
        p.time_zone,
        c.id as client_id, c.birth_date, c.emancipated, c.ended_on, c.self_pay, c.reminders, c.email, c.phone,
        c.guardian_email, c.guardian_phone, c.guardian_name,
        exists (
            select from appointments as a
            where a.tenant_id = p.id and a.client_id = c.id and a.status = 'COMPLETED'
        ) as has_completed_visit,
        (
            select min(e.set_at) from client_statuses as e
            where e.tenant_id = p.id and e.client_id = c.id and e.status <> 'ACTIVE' and e.effective_on <= l.on_date
                and not exists (
                    select from client_statuses as n
                    where n.tenant_id = e.tenant_id and n.client_id = e.client_id and n.status = 'ACTIVE'
                        and n.effective_on <= l.on_date and (n.set_at, n.id) > (e.set_at, e.id)
                )
        ) as ended_at,
        (
            select max(f.completed_at) from intake_forms as f
            where f.tenant_id = p.id and f.client_id = c.id and f.treatment_declined
        ) as declined_at,
        g.kinds, g.signed, g.expires, g.revoked, g.signers,
        w.plans, w.begun,
        v.payer_id, v.copay_cents, v.verified_at,
        s.id as service_id, s.code as service_code, s.kind as service_kind, s.active as service_active,
        s.bookable_online,
        s.capacity as service_capacity, s.cpt_code,
        coalesce(q.ends_at - q.starts_at, make_interval(mins => coalesce(o.minutes, s.minutes))) as length,
        coalesce(o.offered, true) as offered, o.price_cents as clinician_cents,
        t.id as clinician_id,
        'clinician' = any(t.roles) and t.deactivated_at is null as clinician_active, t.hired_on, t.left_on,
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
            array_agg(revoked_at) as revoked, array_agg(signed_by_name) as signers
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


class BookingRow(NamedTuple):
    """The columns of the query above, once every id of the request is known to exist."""

    time_zone: str
    client_id: UUID
    birth_date: date
    emancipated: bool
    ended_on: date | None
    self_pay: bool
    reminders: list[str]
    email: str | None
    phone: str | None
    guardian_email: str | None
    guardian_phone: str | None
    guardian_name: str | None
    has_completed_visit: bool
    ended_at: datetime | None
    declined_at: datetime | None
    consent_kinds: list[str] | None
    consents_signed_at: list[datetime] | None
    consents_expire_on: list[date | None] | None
    consents_revoked_at: list[datetime | None] | None
    consent_signers: list[str | None] | None
    plan_kinds: list[str] | None
    plans_start_on: list[date] | None
    payer_id: str | None
    copay_cents: int | None
    verified_at: datetime | None
    service_id: UUID
    service_code: str
    service_kind: str
    service_active: bool
    bookable_online: bool
    service_capacity: int | None
    cpt_code: str | None
    length: timedelta
    offered: bool
    clinician_cents: int | None
    clinician_id: UUID
    clinician_active: bool
    hired_on: date
    left_on: date | None
    room_id: UUID | None
    room_active: bool | None
    room_capacity: int | None
    on_date: date


@dataclass(frozen=True)
class BookingContext:
    """The client, clinician, service and room of a booking at its start."""

    row: BookingRow
    zone: ZoneInfo
    client: ClientStanding

    @property
    def quote_request(self) -> QuoteRequest:
        """Return the values that the price depends on."""
        return QuoteRequest(
            on_date=self.row.on_date,
            service_id=self.row.service_id,
            clinician_id=self.row.clinician_id,
            clinician_cents=self.row.clinician_cents,
            self_pay=self.row.self_pay,
            payer_id=self.row.payer_id,
            copay_cents=self.row.copay_cents,
        )


def load_booking_context(
    work: Work,
    *,
    client_id: UUID | None,
    clinician_id: UUID,
    service_code: str,
    room_id: UUID | None,
    starts_at: datetime,
    group_session_id: UUID | None = None,
) -> BookingContext:
    """Load the booking context, or raise Invalid naming each unknown id. A seat is as long as its group.

    A group session is opened without a client; the columns of the client are then empty.
    """
    parameters = {
        "client_id": client_id,
        "clinician_id": clinician_id,
        "service_code": service_code,
        "room_id": room_id,
        "starts_at": starts_at,
        "group_session_id": group_session_id,
        "tenant_id": work.tenant_id,
    }
    result = work.db.execute(BOOKING_CONTEXT_SQL, parameters).one()
    problems = [
        FieldProblem(name, f"{label} not found (`{name}`).")
        for name, label, found_id in (
            ("client_id", "Client", result.client_id),
            ("clinician_id", "Clinician", result.clinician_id),
            ("service_code", "Service", result.service_id),
            ("room_id", "Room", result.room_id),
        )
        if found_id is None and parameters[name] is not None
    ]
    if problems:
        raise Invalid(problems)
    row = BookingRow(*result)
    return BookingContext(row, ZoneInfo(row.time_zone), build_client_standing(row))


def build_client_standing(row: BookingRow) -> ClientStanding:
    """Return the client's eligibility facts from the row."""
    consents = zip(
        row.consent_kinds or (),
        row.consents_signed_at or (),
        row.consents_expire_on or (),
        row.consents_revoked_at or (),
        row.consent_signers or (),
        strict=True,
    )
    changed_on = find_treatment_change(zip(row.plans_start_on or (), row.plan_kinds or (), strict=True))
    return ClientStanding(
        birth_date=row.birth_date,
        emancipated=row.emancipated,
        ended_on=row.ended_on,
        ended_at=row.ended_at,
        has_completed_visit=row.has_completed_visit,
        treatment_changed_at=to_instant(changed_on, time.min, ZoneInfo(row.time_zone)) if changed_on else None,
        declined_at=row.declined_at,
        guardian_name=row.guardian_name,
        consents=tuple(ConsentTerm(*values) for values in consents),
    )
