"""Random changes of the records that the warehouse copies, by SQL: of every column that a metric reads.

References, and tables that only grow, do not limit them; only the triggers of the change queue stay.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from warehouse.extraction import COLUMNS, COPIED_WHOLE

QUEUED = [table for table in COLUMNS if table != COPIED_WHOLE]
UNIQUE = ("external_id", "reference", "control_number", "account_id")
STATUSES = ("SCHEDULED", "CONFIRMED", "CHECKED_IN", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED")
NOTE_TYPES = ("PROGRESS", "SAFETY_PLAN", "TREATMENT_PLAN", "CRISIS_INTERVENTION", "INTAKE")
CONSENT_KINDS = ("INFORMED_TREATMENT", "TELEHEALTH", "GUARDIAN")
MINUTES = (0, 1, 59, 24 * 60, 3 * 24 * 60, 7 * 24 * 60, 30 * 24 * 60)


def disable_other_triggers(connection: psycopg.Connection[Any]) -> None:
    """Leave only those of the queue: neither references nor tables that only grow limit the changes of a test."""
    for table in QUEUED:
        connection.execute(f"alter table {table} disable trigger all".encode())
        for operation in ("insert", "update", "delete", "truncate"):
            connection.execute(f"alter table {table} enable trigger queue_{operation}".encode())


def list_columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    query = "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and attgenerated = ''"
    return [name for (name,) in connection.execute(query, [table]).fetchall()]


def insert_copy(connection: psycopg.Connection[Any], table: str, tenant_id: UUID) -> str:
    """Return a statement that inserts a copy of a random row under another id."""
    columns = list_columns(connection, table)
    changes = [f"'{column}', uuidv7()" for column in ("id", *UNIQUE) if column in columns]
    changes += [f"'{column}', 100 + random(1, 10000)" for column in ("position",) if column in columns]
    changes += [
        f"'{column}', now() - make_interval(mins => random(1, 99999))"
        for column in ("changed_at",)
        if column in columns
    ]
    names = ", ".join(f'"{column}"' for column in columns)
    return f"""
        insert into {table} ({names}) select {names} from jsonb_populate_record(null::{table}, (
            select to_jsonb(t) || jsonb_build_object({", ".join(changes)}) from {table} as t
            where tenant_id = '{tenant_id}' order by random() limit 1
        ))
    """


class RecordChanges:
    """Changes one practice at random, at the hour of a simulated clock. `everything` allows those that are rare."""

    def __init__(self, connection: psycopg.Connection[Any], tenant_id: UUID, seed: int) -> None:
        self.connection, self.tenant_id, self.rng = connection, tenant_id, random.Random(seed)  # noqa: S311
        self.now = datetime.min.replace(tzinfo=UTC)
        self.ids = {table: self.list_ids(table) for table in ("appointments", "clients", "staff", "charges")}
        self.changes: dict[str, Callable[[], dict[str, Any]]] = {
            "appointments": self.change_appointment,
            "notes": self.change_note,
            "charges": self.change_charge,
            "payment_applications": lambda: {
                "posted_at": self.pick_instant(),
                "amount_cents": self.rng.randint(1, 9000),
            },
            "adjustments": lambda: {
                "posted_at": self.pick_instant(),
                "amount_cents": self.rng.randint(1, 9000),
                "group_code": self.rng.choice(["CO", "PR", "OA"]),
            },
            "claims": self.change_claim,
            "claim_charges": lambda: {"charge_id": self.rng.choice(self.ids["charges"])},
            "client_statuses": self.change_client_status,
            "primary_clinicians": self.change_primary_clinician,
            "coverages": lambda: {"external_id": f"V{self.rng.random()}"},
            "treatment_plan_reviews": lambda: {
                "reviewed_on": self.pick_day(),
                "created_at": self.pick_instant(),
                "voided_at": self.rng.choice([None, self.pick_instant()]),
            },
            "sign_ins": lambda: {"at": self.pick_instant()},
        }

    def list_ids(self, table: str) -> list[UUID]:
        query = f"select id from {table} where tenant_id = %s order by ctid"
        return [row[0] for row in self.connection.execute(query.encode(), [self.tenant_id]).fetchall()]

    def pick_instant(self) -> datetime:
        """Return an instant around now, which may lie ahead: then only the clock makes it count."""
        sign = self.rng.choice([-1, 1, 1])
        return self.now + sign * timedelta(
            minutes=self.rng.choice(MINUTES) * self.rng.choice([1, self.rng.random()]),
            microseconds=self.rng.choice([0, 0, 1]),
        )

    def pick_day(self) -> Any:
        return (self.now + timedelta(days=self.rng.randint(-120, 20))).date()

    def change_appointment(self) -> dict[str, Any]:
        starts_at = self.pick_instant() - timedelta(days=self.rng.choice([0, 0, 1, 7, 88, 90, 120]))
        return self.pick_some(
            {
                "telehealth": self.rng.random() < 0.5,
                "booked_via": self.rng.choice(["PORTAL", "FRONT_DESK"]),
                "created_at": self.pick_instant(),
                "client_id": self.rng.choice(self.ids["clients"]),
                "clinician_id": self.rng.choice(self.ids["staff"]),
                "actual_minutes": self.rng.choice([None, 50]),
                "eligibility_verified_at": self.pick_instant(),
            },
            {"status": self.rng.choice(STATUSES), "status_at": self.pick_instant()},
            {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=self.rng.choice([50, 60, 600]))},
            {"arrived_at": self.pick_instant(), "ready_at": self.pick_instant()},
        )

    def change_note(self) -> dict[str, Any]:
        return self.pick_some(
            {
                "type": self.rng.choice(NOTE_TYPES),
                "created_at": self.pick_instant(),
                "voided_at": self.pick_instant(),
                "entered_in_error_at": self.pick_instant(),
                "client_id": self.rng.choice(self.ids["clients"]),
                "appointment_id": self.rng.choice([None, *self.ids["appointments"]]),
            },
            {"signed_at": self.pick_instant()},
            {"signed_at": self.pick_instant(), "voided_at": None, "entered_in_error_at": None},
        )

    def change_charge(self) -> dict[str, Any]:
        return self.pick_some(
            {
                "amount_cents": self.rng.randint(100, 30_000),
                "service_date": self.pick_day(),
                "created_at": self.pick_instant(),
                "voided_at": self.pick_instant(),
                "client_id": self.rng.choice(self.ids["clients"]),
                "clinician_id": self.rng.choice(self.ids["staff"]),
                "appointment_id": self.rng.choice([None, *self.ids["appointments"]]),
            }
        )

    def change_claim(self) -> dict[str, Any]:
        return self.pick_some(
            {"submitted_at": self.pick_instant()},
            {"first_response_at": self.pick_instant(), "first_response": self.rng.choice(["ACCEPTED", "REJECTED"])},
            {"adjudicated_at": self.pick_instant(), "outcome": self.rng.choice(["PAID", "DENIED"])},
        )

    def change_client_status(self) -> dict[str, Any]:
        return {
            "status": self.rng.choice(["ACTIVE", "DISCHARGED"]),
            "effective_on": self.pick_day(),
            "set_at": self.pick_instant(),
            "set_by": self.rng.choice(self.ids["staff"]),
        }

    def change_primary_clinician(self) -> dict[str, Any]:
        return {
            "clinician_id": self.rng.choice(self.ids["staff"]),
            "effective_on": self.pick_day(),
            "set_at": self.pick_instant(),
            "set_by": self.rng.choice(self.ids["staff"]),
        }

    def pick_some(self, *groups: dict[str, Any]) -> dict[str, Any]:
        """Return one group of columns, of the first one column only."""
        group = self.rng.choice([*groups, groups[0]])
        if group is groups[0] and len(group) > 2:
            name = self.rng.choice(sorted(group))
            return {name: group[name]}
        return group

    def change_something(self, now: datetime) -> str:
        """Change a record, add or delete one, and return what was done."""
        self.now = now
        if self.rng.random() < 0.25:
            return self.add_version()
        table = self.rng.choice(sorted(self.changes))
        picked = self.pick_row(table)
        if picked is None:
            return f"no {table}"
        operation = self.rng.choice(["insert", "update", "update", "update", "delete"])
        if operation == "delete":
            self.connection.execute(f"delete from {table} where ctid = '{picked}'".encode())
        elif operation == "insert":
            self.insert(table, picked, self.changes[table]())
        else:
            values = self.changes[table]()
            assignments = ", ".join(f"{name} = %s" for name in values)
            self.connection.execute(
                f"update {table} set {assignments} where ctid = '{picked}'".encode(), list(values.values())
            )
        return f"{operation} {table}"

    def pick_row(self, table: str, condition: str = "true") -> str | None:
        """Return the place of a random row, the same one for the same seed: ids differ from one run to the next."""
        rows = f"from {table} where tenant_id = %s and {condition}"
        (count,) = self.connection.execute(f"select count(*) {rows}".encode(), [self.tenant_id]).fetchall()[0]
        if not count:
            return None
        query = f"select ctid::text {rows} order by ctid offset %s limit 1"
        found = self.connection.execute(query.encode(), [self.tenant_id, self.rng.randrange(count)]).fetchone()
        return found and found[0]

    def insert(self, table: str, ctid: str, values: dict[str, Any]) -> None:
        """Insert a copy of a row with other values."""
        columns = list_columns(self.connection, table)
        names = ", ".join(f'"{column}"' for column in columns)
        fresh = {name: str(self.rng.random()) for name in UNIQUE[:3] if name in columns} | values
        if "id" in columns:
            fresh["id"] = UUID(int=self.rng.getrandbits(128))
        if "position" in columns:
            fresh["position"] = self.rng.randint(2, 1_000_000)
        changes = Jsonb({name: value if value is None else str(value) for name, value in fresh.items()})
        self.connection.execute(
            f"insert into {table} ({names}) select {names} from jsonb_populate_record(null::{table}, "
            f"(select to_jsonb(t) || %s from {table} as t where ctid = '{ctid}'))".encode(),
            [changes],
        )

    def add_version(self) -> str:
        """Add a version of a record, known around now."""
        kinds = ["clients", "coverages", "consents", "corrections"] * 2
        kinds += ["trainings", "supervision_sessions", "incidents"]
        kind = "staff" if self.rng.random() < 0.01 else self.rng.choice(kinds)
        if kind == "corrections":
            return self.add_correction()
        values: dict[str, dict[str, Any]] = {
            "clients": {
                "self_pay": self.rng.random() < 0.5,
                "emancipated": self.rng.random() < 0.5,
                "has_complete_demographics": self.rng.random() < 0.5,
                "high_risk_since": str(self.pick_day()),
                "portal_activated_at": self.pick_instant().isoformat(),
                "birth_date": str(self.pick_day() - timedelta(days=365 * self.rng.choice([8, 17, 18, 40]))),
                "admitted_on": str(self.pick_day()),
                "ended_on": str(self.pick_day()),
            },
            "coverages": {
                "verified_at": self.pick_instant().isoformat(),
                "ends_on": str(self.pick_day()),
                "rank": self.rng.choice([1, 2]),
                "voided_at": self.pick_instant().isoformat(),
            },
            "consents": {
                "signed_at": self.pick_instant().isoformat(),
                "revoked_at": self.pick_instant().isoformat(),
                "expires_on": str(self.pick_day()),
                "kind": self.rng.choice(CONSENT_KINDS),
            },
            "incidents": {
                "detected_at": self.pick_instant().isoformat(),
                "responded_at": self.pick_instant().isoformat(),
            },
            "trainings": {"completed_on": str(self.pick_day())},
            "supervision_sessions": {"note_signed_at": self.pick_instant().isoformat(), "hours": "1.50"},
            "staff": {"supervisor_id": str(self.rng.choice(self.ids["staff"]))},
        }
        name = self.rng.choice(sorted(values[kind]))
        known_at = self.rng.choice([self.now, self.pick_instant()])
        self.connection.execute(
            """
            insert into record_versions (tenant_id, id, record_kind, record_id, known_at, record_values)
            select tenant_id, %s, record_kind, record_id, %s, record_values || %s
            from record_versions where ctid = cast(%s as tid)
            """,
            [
                *(UUID(int=self.rng.getrandbits(128)), known_at, Jsonb({name: values[kind][name]})),
                self.pick_row("record_versions", f"record_kind = '{kind}'"),
            ],
        )
        return f"version of {kind}: {name}"

    def add_correction(self) -> str:
        """Add a version of a note of another session, of a corrected appointment or of a moved review."""
        table = self.rng.choice(["notes", "appointments", "treatment_plan_reviews"])
        values: dict[str, dict[str, Any]] = {
            "notes": {"appointment_id": self.rng.choice([None, *map(str, self.ids["appointments"])])},
            "treatment_plan_reviews": {"reviewed_on": str(self.pick_day())},
            "appointments": {
                "status": self.rng.choice(STATUSES),
                "status_at": self.pick_instant().isoformat(),
                "telehealth": self.rng.random() < 0.5,
                "arrived_at": self.pick_instant().isoformat(),
                "ready_at": self.pick_instant().isoformat(),
                "actual_minutes": self.rng.choice([None, 45]),
            },
        }
        self.connection.execute(
            f"""
            insert into record_versions (tenant_id, id, record_kind, record_id, known_at, record_values)
            select tenant_id, %s, '{table}', id, %s, %s from {table} where ctid = cast(%s as tid)
            """.encode(),
            [
                *(UUID(int=self.rng.getrandbits(128)), self.pick_instant(), Jsonb(values[table])),
                self.pick_row(table),
            ],
        )
        return f"version of {table}"
