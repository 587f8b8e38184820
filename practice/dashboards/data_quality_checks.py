"""The checks of data quality: what is wrong in the records, what it makes wrong, what to do, and where."""

from dataclasses import dataclass
from typing import Literal

CheckKey = Literal[
    "open_visits",
    "charges_without_visit",
    "charges_without_note",
    "charges_without_diagnosis",
    "notes_without_visit",
    "services_without_price",
    "services_without_code",
    "clinicians_without_rate",
    "clinicians_without_hours",
    "clinicians_without_license",
    "clinicians_without_supervisor",
    "clinicians_without_npi",
    "uncovered_clients",
    "incomplete_demographics",
    "clients_without_clinician",
    "minors_without_guardian",
    "duplicate_clients",
    "practice_without_npi",
    "practice_without_tax_id",
]
RecordKind = Literal["visit", "charge", "note", "service", "staff", "client", "practice"]
Mending = Literal["open_schedule", "complete_record", "set_pay_rate", "complete_staff", "complete_practice"]


@dataclass(frozen=True)
class QualityCheck:
    """A check: the records that it is about, what is wrong with the figures or bills until it is mended, and how."""

    key: CheckKey
    label: str
    record_kind: RecordKind
    effect: str
    to_do: str
    mending: Mending | None = None


QUALITY_CHECKS: dict[CheckKey, QualityCheck] = {
    check.key: check
    for check in (
        QualityCheck(
            "open_visits",
            "Visits that are over and still open",
            "visit",
            "Nothing is paid or billed for them, and the rates of kept and missed visits leave them out.",
            "Complete them, or mark a no-show, on the schedule of their day.",
            "open_schedule",
        ),
        QualityCheck(
            "charges_without_visit",
            "Charges without a visit",
            "charge",
            "They count as money without a session, so collection rates and reimbursements are off.",
            "Void the charge, and make it again from its visit.",
        ),
        QualityCheck(
            "charges_without_note",
            "Charges whose visit has no signed note",
            "charge",
            "They cannot be claimed, and days in receivables grow.",
            "Have the clinician sign the note of the visit.",
        ),
        QualityCheck(
            "charges_without_diagnosis",
            "Charges without a diagnosis",
            "charge",
            "They cannot be claimed.",
            "Enter the diagnosis codes of the note on the charge.",
        ),
        QualityCheck(
            "notes_without_visit",
            "Session notes without a visit",
            "note",
            "Their visit counts as undocumented, is locked, and pays nothing.",
            "Have the clinician choose the visit of the note.",
        ),
        QualityCheck(
            "services_without_price",
            "Services without a price",
            "service",
            "Their visits have no price, so no charge has an amount.",
            "Set a rate of the service in the catalog.",
        ),
        QualityCheck(
            "services_without_code",
            "Services without a procedure code",
            "service",
            "Their visits cannot be billed to a payer.",
            "Enter the code of the service in the catalog.",
        ),
        QualityCheck(
            "clinicians_without_rate",
            "Clinicians without a pay rate",
            "staff",
            "Their sessions pay nothing.",
            "Set a base rate from the first day of employment on.",
            "set_pay_rate",
        ),
        QualityCheck(
            "clinicians_without_hours",
            "Clinicians without weekly hours",
            "staff",
            "They cannot be booked, and the fill rate leaves them out.",
            "Enter the weekly hours of the clinician.",
        ),
        QualityCheck(
            "clinicians_without_license",
            "Clinicians without a license",
            "staff",
            "Nobody knows whether they need supervision, so no hours are required of them.",
            "Enter the license of the clinician.",
            "complete_staff",
        ),
        QualityCheck(
            "clinicians_without_supervisor",
            "Clinicians who need supervision and have no supervisor",
            "staff",
            "Nobody gets a message about missing hours or late notes, and no team counts them.",
            "Choose a supervisor for the clinician.",
            "complete_staff",
        ),
        QualityCheck(
            "clinicians_without_npi",
            "Clinicians without an NPI",
            "staff",
            "Payers refuse claims of their sessions.",
            "Enter the NPI of the clinician.",
            "complete_staff",
        ),
        QualityCheck(
            "uncovered_clients",
            "Clients with neither a coverage nor self-pay",
            "client",
            "Nobody can be billed for their visits.",
            "Enter a coverage, or that the client pays without insurance.",
            "complete_record",
        ),
        QualityCheck(
            "incomplete_demographics",
            "Clients with incomplete demographics",
            "client",
            "Their visits cannot be completed.",
            "Complete the record of the client.",
            "complete_record",
        ),
        QualityCheck(
            "clients_without_clinician",
            "Clients without a primary clinician",
            "client",
            "No clinician and no team has them in its figures, and nobody is reminded of them.",
            "Choose the primary clinician of the client.",
        ),
        QualityCheck(
            "minors_without_guardian",
            "Minors without a guardian",
            "client",
            "Nobody can consent for them or gets their messages.",
            "Enter the guardian in the record of the client.",
        ),
        QualityCheck(
            "duplicate_clients",
            "Clients with the same name and birth date",
            "client",
            "One person may count twice, and the chart is in two parts.",
            "Compare the records, and discharge the one that was made by mistake.",
        ),
        QualityCheck(
            "practice_without_npi",
            "The practice has no NPI",
            "practice",
            "Payers refuse its claims.",
            "Enter the NPI of the practice.",
            "complete_practice",
        ),
        QualityCheck(
            "practice_without_tax_id",
            "The practice has no tax id",
            "practice",
            "Payers refuse its claims.",
            "Enter the tax id of the practice.",
            "complete_practice",
        ),
    )
}
"""The checks by key, in the order of the page: what is most often behind wrong figures comes first."""

FOUND_SQL = """
    with practice as (select * from practices where id = :tenant_id),
    active_clients as materialized (
        select c.* from clients as c
        where c.tenant_id = :tenant_id and c.admitted_on <= :today and (c.ended_on is null or c.ended_on > :today)
            and not exists (
                select from deletion_requests as d
                where d.tenant_id = c.tenant_id and d.client_id = c.id and d.status = 'REDACTED'
            )
    ),
    clinicians as materialized (
        select s.* from staff as s
        where s.tenant_id = :tenant_id and 'clinician' = any(s.roles) and s.hired_on <= :today
            and s.deactivated_at is null and (s.left_on is null or s.left_on > :today)
    ),
    open_charges as materialized (
        select c.* from charges as c where c.tenant_id = :tenant_id and c.voided_at is null
    ),
    found (check_key, record_id, client_id, staff_id, label, since_on, since_at) as (
        select 'open_visits', a.id, a.client_id, a.clinician_id, a.reference, null::date, a.ends_at
        from appointments as a
        where a.tenant_id = :tenant_id and a.status in ('SCHEDULED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS')
            and a.ends_at <= :now
        union all
        select 'charges_without_visit', c.id, c.client_id, c.clinician_id, c.cpt_code, c.service_date, null
        from open_charges as c where c.appointment_id is null
        union all
        select 'charges_without_note', c.id, c.client_id, c.clinician_id, c.cpt_code, c.service_date, null
        from open_charges as c
        join appointments as a on a.tenant_id = c.tenant_id and a.id = c.appointment_id
        where a.note_signed_at is null
        union all
        select 'charges_without_diagnosis', c.id, c.client_id, c.clinician_id, c.cpt_code, c.service_date, null
        from open_charges as c
        where cardinality(c.diagnoses) = 0
            and not exists (select from claim_charges as l where l.tenant_id = c.tenant_id and l.charge_id = c.id)
        union all
        select 'notes_without_visit', n.id, n.client_id, n.clinician_id, null, null, n.created_at
        from notes as n
        where n.tenant_id = :tenant_id and n.appointment_id is null and n.voided_at is null
            and n.entered_in_error_at is null and n.type <> all(:no_session_notes)
        union all
        select 'services_without_price', s.id, null, null, s.name, null, s.created_at
        from services as s
        where s.tenant_id = :tenant_id and s.active and not exists (
            select from service_rates as r
            where r.tenant_id = s.tenant_id and r.service_id = s.id
                and (r.effective_on is null or r.effective_on <= :today)
        )
        union all
        select 'services_without_code', s.id, null, null, s.name, null, s.created_at
        from services as s where s.tenant_id = :tenant_id and s.active and coalesce(trim(s.cpt_code), '') = ''
        union all
        select 'clinicians_without_rate', s.id, null, s.id, null, s.hired_on, null
        from clinicians as s
        where not exists (
            select from pay_rates as r
            where r.tenant_id = s.tenant_id and r.staff_id = s.id
                and (r.effective_on is null or r.effective_on <= :today)
        )
        union all
        select 'clinicians_without_hours', s.id, null, s.id, null, s.hired_on, null
        from clinicians as s
        where not exists (
            select from availability_windows as w
            where w.tenant_id = s.tenant_id and w.clinician_id = s.id and w.voided_at is null
                and (w.ends_on is null or w.ends_on >= :today)
        )
        union all
        select k.check_key, s.id, null, s.id, null, s.hired_on, null
        from clinicians as s
        cross join lateral (
            values
            ('clinicians_without_license', s.license_type is null),
            ('clinicians_without_supervisor', s.license_type = any(:supervised) and s.supervisor_id is null),
            ('clinicians_without_npi', s.npi is null)
        ) as k (check_key, is_wrong)
        where k.is_wrong
        union all
        select k.check_key, c.id, c.id, null, null, k.since_on, null
        from active_clients as c
        cross join lateral (
            select
                count(*) filter (where v.effective_on <= :today and coalesce(v.ends_on >= :today, true)) as covers,
                max(v.ends_on) filter (where v.ends_on < :today) as ended_on
            from coverages as v
            where v.tenant_id = c.tenant_id and v.client_id = c.id and v.voided_at is null
        ) as v
        cross join lateral (
            values
            ('uncovered_clients', not c.self_pay and v.covers = 0, greatest(c.admitted_on, v.ended_on + 1)),
            ('incomplete_demographics', not c.has_complete_demographics, c.admitted_on),
            ('clients_without_clinician', c.primary_clinician_id is null, c.admitted_on),
            (
                'minors_without_guardian',
                c.birth_date > :adult_cutoff and not c.emancipated and coalesce(trim(c.guardian_name), '') = '',
                c.admitted_on
            )
        ) as k (check_key, is_wrong, since_on)
        where k.is_wrong
        union all
        select 'duplicate_clients', d.id, d.id, null, null, null, d.latest_at
        from (
            select c.id,
                count(*) over same as number, max(c.created_at) over same as latest_at
            from active_clients as c
            window same as (partition by c.birth_date, lower(c.first_name), lower(c.last_name))
        ) as d
        where d.number > 1
        union all
        select k.check_key, p.id, null, null, p.name, null, p.created_at
        from practice as p
        cross join lateral (
            values ('practice_without_npi', p.npi is null), ('practice_without_tax_id', p.tax_id is null)
        ) as k (check_key, is_wrong)
        where k.is_wrong
    ),
    dated as materialized (
        select check_key, record_id, client_id, staff_id, label,
            coalesce(since_on, (since_at at time zone :zone)::date) as since_on
        from found
    )
    select check_key, count(*) as number, min(since_on), null::uuid, null::uuid, null::uuid, null::text
    from dated
    group by check_key
    union all (
        select check_key, null, since_on, record_id, client_id, staff_id, label
        from dated
        where check_key = any(:checks)
        order by array_position(:checks, check_key), since_on, record_id
        limit :limit offset :offset
    )
"""
"""One statement over all checks: first how many records each finds and since when, then the records asked for."""
