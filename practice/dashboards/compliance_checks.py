"""The compliance checks of clients, staff and the practice: their words, who acts, and their states on some days.

The states are those of the marts, which the database limits to the practice of the work. They are read as they are now,
once a page.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.security.work import Work

CheckKey = Literal[
    "safety_plan",
    "informed_consent",
    "guardian_consent",
    "telehealth_consent",
    "treatment_plan",
    "demographics",
    "insurance",
    "session_notes",
    "weekly_deadline",
    "hipaa_training",
    "supervision_hours",
    "supervision_notes",
    "incident_response",
    "incident_notices",
]
State = Literal["late", "due", "unknown", "fine", "not_applicable"]
Subject = Literal["client", "staff", "practice"]
Responsible = Literal["clinician", "staff_member", "supervisor", "front_desk", "admins"]
Mending = Literal["record_consent", "record_review", "verify_coverage", "complete_record", "record_training"]

STATES: dict[str, State] = {
    "violation": "late",
    "alert": "late",
    "due": "due",
    "needs_person": "unknown",
    "ok": "fine",
    "not_applicable": "not_applicable",
}
"""The states of the pages by the statuses of the marts. The last day counts as late: somebody has to act on it."""
OPEN_STATES: tuple[State, ...] = ("late", "due", "unknown")


@dataclass(frozen=True)
class Check:
    """A check: whom it is about, the metric that measures it on the same day, who acts, and what mends it."""

    key: CheckKey
    label: str
    subject: Subject
    acts: Responsible
    to_do: str
    metric: str | None = None
    mending: Mending | None = None
    permission: tuple[str, str] | None = None  # of the mending


CONSENT: tuple[Mending, tuple[str, str]] = ("record_consent", ("consents", "write"))
CHECKS: dict[CheckKey, Check] = {
    check.key: check
    for check in (
        Check("safety_plan", "Safety plan", "client", "clinician", "Sign a safety plan.", "safety_plan_compliance"),
        Check(
            "informed_consent",
            "Informed consent",
            "client",
            "front_desk",
            "Have the consent signed.",
            "informed_consent_currency",
            *CONSENT,
        ),
        Check(
            "guardian_consent",
            "Guardian consent",
            "client",
            "front_desk",
            "Have the guardian sign.",
            "minor_consent_compliance",
            *CONSENT,
        ),
        Check(
            "telehealth_consent",
            "Telehealth consent",
            "client",
            "front_desk",
            "Have the consent signed before the visit.",
            None,
            *CONSENT,
        ),
        Check(
            "treatment_plan",
            "Treatment plan review",
            "client",
            "clinician",
            "Review the plan with the client.",
            "treatment_plan_currency",
            "record_review",
            ("plans", "write"),
        ),
        Check(
            "demographics",
            "Demographics and coverage",
            "client",
            "front_desk",
            "Complete the record, and enter a coverage or self-pay.",
            "complete_demographics_rate",
            "complete_record",
            ("clients", "change"),
        ),
        Check(
            "insurance",
            "Insurance verification",
            "client",
            "front_desk",
            "Verify the primary coverage with the payer.",
            "insurance_accuracy_rate",
            "verify_coverage",
            ("coverages", "write"),
        ),
        Check("session_notes", "Notes within 7 days", "staff", "staff_member", "Sign the late notes."),
        Check(
            "weekly_deadline", "Notes by the weekly deadline", "staff", "staff_member", "Sign the notes of the week."
        ),
        Check(
            "hipaa_training",
            "HIPAA training",
            "staff",
            "staff_member",
            "Complete the training and record it.",
            "hipaa_training_current",
            "record_training",
            ("trainings", "write"),
        ),
        Check(
            "supervision_hours",
            "Supervision hours",
            "staff",
            "supervisor",
            "Hold the missing hours, and record the license if it is missing.",
        ),
        Check("supervision_notes", "Supervision notes", "staff", "supervisor", "Sign the note of the session."),
        Check("incident_response", "Incident response", "practice", "admins", "Record the response to the incident."),
        Check("incident_notices", "Incident notices", "practice", "admins", "Send the notices and record them."),
    )
}
"""The checks by key, in the order of the page."""

# The spans are computed once; all of the practice's are, whatever is asked of them.
CHECKS_SQL = text("""
    with spans as materialized (
        select check_key, status, entity_kind, coalesce(client_id, staff_id, :tenant_id) as subject_id,
            first_on, last_on
        from marts.compliance_spans
        where last_on >= :first
    ),
    people as materialized (
        select id as subject_id, primary_clinician_id as clinician_id from clients where tenant_id = :tenant_id
        union all
        select id, id from staff where tenant_id = :tenant_id
        union all
        select :tenant_id, null
    ),
    visible as materialized (
        select s.*, p.clinician_id
        from spans as s
        join people as p using (subject_id)
        where cast(:clinician_ids as uuid []) is null or p.clinician_id = any(:clinician_ids)
    )
    select d.on_date, v.check_key, v.status, count(*), null::uuid, null::uuid, null::date
    from visible as v
    join unnest(cast(:days as date [])) as d (on_date) on v.first_on <= d.on_date and v.last_on >= d.on_date
    group by d.on_date, v.check_key, v.status
    union all (
        select null, check_key, status, null, subject_id, clinician_id, first_on
        from visible
        where first_on <= :today and last_on >= :today
            and check_key = any(:checks) and status = any(:statuses)
        order by array_position(:order, status), first_on, array_position(:checks, check_key), subject_id
        limit :limit offset :offset
    )
""")


class Row(NamedTuple):
    """A check of a client, a staff member or the practice today, and since when it has its status."""

    check: Check
    status: str
    subject_id: UUID
    clinician_id: UUID | None  # in charge: the client's primary clinician, or the staff member
    since_on: date

    @property
    def state(self) -> State:
        return STATES[self.status]

    @property
    def client_id(self) -> UUID | None:
        return self.subject_id if self.check.subject == "client" else None

    @property
    def staff_id(self) -> UUID | None:
        return self.subject_id if self.check.subject == "staff" else None


@dataclass(frozen=True)
class Selection:
    """The rows that are asked for. None of a field means all; without a state, those that somebody has to see to."""

    check: CheckKey | None = None
    state: State | None = None
    limit: int = 200
    offset: int = 0

    @property
    def states(self) -> frozenset[State]:
        return frozenset({self.state} if self.state else OPEN_STATES)


@dataclass(frozen=True)
class Findings:
    """The states of checks on some days, the last of which is today, and the rows of today that were asked for."""

    counts: dict[date, dict[CheckKey, Counter[State]]]
    rows: Sequence[Row]


def load_findings(
    work: Work, clinician_ids: Collection[UUID] | None, days: Sequence[date], selection: Selection
) -> Findings:
    """Return the states of the checks of these clinicians and of their clients, or of everybody, in one statement."""
    parameters = {
        "tenant_id": work.tenant_id,
        "clinician_ids": None if clinician_ids is None else list(clinician_ids),
        "days": list(days),
        "first": days[0],
        "today": days[-1],
        "checks": [selection.check] if selection.check else list(CHECKS),
        "statuses": [status for status, state in STATES.items() if state in selection.states],
        "order": list(STATES),
        "limit": selection.limit,
        "offset": selection.offset,
    }
    counts = {day: {key: Counter[State]() for key in CHECKS} for day in days}
    rows = []
    for on_date, key, status, count, *row in work.db.execute(CHECKS_SQL, parameters):
        if on_date is None:
            rows.append(Row(CHECKS[key], status, *row))
        else:
            counts[on_date][key][STATES[status]] += count
    shown = {row.client_id for row in rows if row.client_id is not None}
    work.record_list("clients.listed", shown, part="compliance", found=len(shown))
    return Findings(counts, rows)
