"""What a new practice has to set up before it can work, in the order in which it is easiest, and what is done."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text

from practice.security.work import Work

Key = Literal["numbers", "staff", "services", "hours", "rates", "texts", "templates", "clients"]

# The agreements that clients sign, in the portal or at the front desk.
TEXT_KINDS = ("INFORMED_TREATMENT", "CONFIDENTIALITY", "DATA_PROCESSING", "TELEHEALTH", "GUARDIAN")

COUNTS_SQL = text("""
    with clinicians as (
        select id from staff
        where tenant_id = :tenant_id and 'clinician' = any(roles) and deactivated_at is null
    )

    select
        p.npi is not null and p.tax_id is not null as has_numbers,
        (select count(*) from clinicians) as clinicians,
        (select count(*) from services where tenant_id = :tenant_id and active) as services,
        (
            select count(*) from clinicians as c where not exists (
                select from availability_windows as w
                where w.tenant_id = :tenant_id and w.clinician_id = c.id and w.voided_at is null
            )
        ) as without_hours,
        (
            select count(*) from clinicians as c
            where not exists (select from pay_rates as r where r.tenant_id = :tenant_id and r.staff_id = c.id)
        ) as without_rate,
        array(
            select k.kind from unnest(cast(:kinds as text [])) with ordinality as k (kind, position)
            where not exists (select from agreements as a where a.tenant_id = :tenant_id and a.kind = k.kind)
            order by k.position
        ) as missing_texts,
        exists (select from note_templates where tenant_id = :tenant_id) as has_templates,
        exists (select from clients where tenant_id = :tenant_id) as has_clients
    from practices as p where p.id = :tenant_id
""")


@dataclass(frozen=True)
class SetupStep:
    """A step, what is to be done or was done, and the request that does it. A practice can work without `optional`."""

    key: Key
    done: bool
    sentence: str
    method: Literal["GET", "POST", "PATCH"]
    path: str
    optional: bool = False


def list_setup_steps(work: Work) -> list[SetupStep]:
    """Return all steps in order, those that are done included."""
    found = work.db.execute(COUNTS_SQL, {"tenant_id": work.tenant_id, "kinds": list(TEXT_KINDS)}).one()
    clinicians, services, missing = found.clinicians, found.services, ", ".join(found.missing_texts)
    return [
        SetupStep(
            "numbers",
            found.has_numbers,
            "The practice's NPI and tax id are entered."
            if found.has_numbers
            else "Enter the practice's NPI and tax id; claims need them.",
            "PATCH",
            "/practice",
            optional=True,
        ),
        SetupStep(
            "staff",
            clinicians > 0,
            "At least one clinician has an account. Invite the others the same way."
            if clinicians
            else "Invite the staff; at least one clinician, since nobody can be booked yet.",
            "POST",
            "/staff",
        ),
        SetupStep(
            "services",
            services > 0,
            "At least one service can be booked." if services else "Add the services that you offer, with their rates.",
            "POST",
            "/services",
        ),
        SetupStep(
            "hours",
            clinicians > 0 and found.without_hours == 0,
            describe_missing(
                clinicians, found.without_hours, "weekly hours", "Enter them; until then they cannot be booked."
            ),
            "POST",
            "/clinicians/{staff_id}/availability",
        ),
        SetupStep(
            "rates",
            clinicians > 0 and found.without_rate == 0,
            describe_missing(
                clinicians, found.without_rate, "a pay rate", "Set one; until then their sessions are not paid."
            ),
            "POST",
            "/staff/{staff_id}/pay-rates",
        ),
        SetupStep(
            "texts",
            not missing,
            f"Publish the texts that clients sign. Missing: {missing}."
            if missing
            else "The texts that clients sign are published.",
            "POST",
            "/agreements",
        ),
        SetupStep(
            "templates",
            found.has_templates,
            "The practice has note templates of its own."
            if found.has_templates
            else "Set your own note templates, or keep the built-in ones.",
            "POST",
            "/note-templates",
            optional=True,
        ),
        SetupStep(
            "clients",
            found.has_clients,
            "The practice has clients." if found.has_clients else "Add the first client.",
            "POST",
            "/clients",
        ),
    ]


def describe_missing(clinicians: int, missing: int, what: str, advice: str) -> str:
    """Return how many clinicians lack something, and what to do about it."""
    if clinicians == 0:
        return f"Clinicians need {what}. Add a clinician first."
    if missing == 0:
        return f"Every clinician has {what}."
    return f"Clinicians without {what}: {missing} of {clinicians}. {advice}"
