"""A practice of early 2024 in New York whose records say what compliance checks are about, and the statuses of these.

A record without `known_at` is like an imported one: it has been known from the beginning.
"""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.analytics.marts import run_statement
from practice.clinical.models.notes import Note
from practice.clinical.models.plans import TreatmentPlanReview
from practice.people.models.clients import Client, Consent, Coverage
from practice.people.models.practices import RuleSetting, Staff, Training
from practice.people.staff import add_staff
from practice.scheduling.models.appointments import Appointment
from practice.security.accounts import ensure_account
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import make_practice
from tests.support.builders.schedule import make_service, put

ZONE = ZoneInfo("America/New_York")
FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2025, 6, 30)  # later days depend on when the tests run
Spans = list[tuple[str, str]]


def at(day: str, hour: int = 12, minute: int = 0) -> datetime:
    """Return a local time of the practice as an instant."""
    return datetime.combine(date.fromisoformat(day), time(hour, minute), ZONE)


class CompliancePractice:
    """The practice. Each `add_...` returns the id of what it adds."""

    def __init__(self, installation: Installation) -> None:
        self.practice = make_practice(installation, now=at("2024-01-01"))
        self.installation = installation
        self.service_id = make_service(self.practice)

    def read(self, statement: str) -> list[tuple[Any, ...]]:
        return run_statement(self.installation.store, self.practice.id, statement).rows

    def list_spans(self, check: str, entity_id: UUID | None = None) -> Spans:
        """Return each status of a check with its first day, until the last day that does not depend on the clock."""
        entity = "client_id is null and staff_id is null"
        if entity_id is not None:
            entity = f"coalesce(client_id, staff_id) = '{entity_id}'"
        query = "select status, first_on::text from compliance_spans where check_key = "
        return self.read(f"{query} '{check}' and {entity} and first_on <= '{LAST_DAY}' order by first_on")

    def save(self, record: Any, known_at: datetime | None = None) -> UUID:
        record.id = record.id or new_id()
        if known_at is None:
            put(self.practice, record)
        else:
            with self.practice.work(now=known_at) as work:
                record.tenant_id = self.practice.id
                work.db.add(record)
        return record.id

    def change(self, model: type[Any], record_id: UUID, known_at: datetime, **values: Any) -> None:
        with self.practice.work(now=known_at) as work:
            record = work.db.get_one(model, (self.practice.id, record_id))
            for name, value in values.items():
                setattr(record, name, value)

    def execute(self, statement: str, **values: Any) -> None:
        with self.installation.store.begin_session(self.practice.id) as db:
            db.execute(text(statement), {"tenant_id": self.practice.id} | values)

    def add_client(self, known_at: datetime | None = None, **fields: Any) -> UUID:
        """Add a client who was admitted on February 1, with a complete record and without consents."""
        complete = ("first_name", "last_name", "address", "city", "state", "zip", "phone")
        values = dict.fromkeys((*complete, "emergency_contact_name", "emergency_contact_phone"), "x") | {
            "birth_date": date(1990, 5, 17),
            "self_pay": True,
            "emancipated": False,
            "admitted_on": date(2024, 2, 1),
            "created_at": at("2024-02-01"),
        }
        return self.save(Client(**values | fields), known_at)

    def add_consent(
        self, client_id: UUID, kind: str, signed_at: datetime, known_at: datetime | None = None, **fields: Any
    ) -> UUID:
        values = {"signed_by_name": "x", **fields}
        return self.save(Consent(client_id=client_id, kind=kind, signed_at=signed_at, **values), known_at)

    def add_coverage(self, client_id: UUID, known_at: datetime | None = None, **fields: Any) -> UUID:
        values = {"rank": 1, "payer_id": "60054", "payer_name": "x", "member_id": "x", **fields}
        return self.save(Coverage(client_id=client_id, **values), known_at)

    def add_review(self, client_id: UUID, reviewed_on: str, known_at: datetime | None = None) -> UUID:
        day = date.fromisoformat(reviewed_on)
        review = TreatmentPlanReview(
            client_id=client_id,
            clinician_id=self.practice.admin.staff_id,
            reviewed_on=day,
            created_at=known_at or at(reviewed_on),
        )
        return self.save(review, known_at)

    def add_visit(self, client_id: UUID, clinician_id: UUID, starts_at: datetime, **fields: Any) -> UUID:
        """Add an hour that was booked on January 2 and is completed when it ends, unless the fields say otherwise."""
        values = {
            "reference": f"BK-{new_id().hex[-12:]}",
            "type": "THERAPY_SESSION",
            "status": "COMPLETED",
            "status_at": starts_at + timedelta(hours=1),
            "booked_via": "FRONT_DESK",
            "telehealth": False,
            "created_at": at("2024-01-02"),
            "ends_at": starts_at + timedelta(hours=1),
            "guarded": False,
        }
        appointment = Appointment(
            client_id=client_id,
            clinician_id=clinician_id,
            service_id=self.service_id,
            starts_at=starts_at,
            **values | fields,
        )
        return self.save(appointment)

    def add_note(self, client_id: UUID, clinician_id: UUID, signed_at: datetime | None, **fields: Any) -> UUID:
        """Add a note, signed by its clinician unless `signed_at` is None."""
        signature = {"status": "DRAFT"}
        if signed_at is not None:
            signature = {"status": "SIGNED", "signed_at": signed_at, "signed_by_id": clinician_id}
        values = {"type": "SOAP_NOTE", "created_at": signed_at or at("2024-01-02"), **signature, **fields}
        return self.save(Note(client_id=client_id, clinician_id=clinician_id, **values))

    def add_staff(
        self, *roles: str, known_at: datetime | None = None, hired_on: str = "2024-01-08", **fields: Any
    ) -> UUID:
        """Add a staff member, by default on the day on which they are hired."""
        day = date.fromisoformat(hired_on)
        with self.practice.work(now=known_at or at(hired_on)) as work:
            names = {"email": f"{new_id()}@example.com", "first_name": "x", "last_name": "x", "hired_on": day}
            staff = add_staff(work, roles=list(roles), by_email=False, **names).staff
            for name, value in fields.items():
                setattr(staff, name, value)
            return staff.id

    def import_staff(self, *roles: str, hired_on: date, created_at: datetime) -> UUID:
        """Add a staff member as an import does: known from the beginning, though the account is new."""
        email = f"{new_id()}@example.com"
        with self.installation.store.begin_system_session() as db:
            account_id = ensure_account(db, email, created_at).id
        names = {"email": email, "first_name": "x", "last_name": "x"}
        return self.save(
            Staff(account_id=account_id, roles=list(roles), hired_on=hired_on, created_at=created_at, **names)
        )

    def change_staff(self, staff_id: UUID, known_at: datetime, **values: Any) -> None:
        self.change(Staff, staff_id, known_at, **values)

    def add_training(self, staff_id: UUID, completed_on: str, known_at: datetime | None = None, **fields: Any) -> UUID:
        known_at = known_at or at(completed_on)
        values = {"kind": "HIPAA", "completed_on": date.fromisoformat(completed_on), "recorded_at": known_at, **fields}
        return self.save(Training(staff_id=staff_id, **values), known_at)

    def set_setting(self, key: str, value: int, effective_on: str, set_at: datetime | None = None) -> None:
        day = date.fromisoformat(effective_on)
        self.save(RuleSetting(key=key, value=value, effective_on=day, set_at=set_at or at(effective_on, 0)))
