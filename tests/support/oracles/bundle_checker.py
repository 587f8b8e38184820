"""Reads a bundle as its description tells, with nothing but csv and loops, and lists what is wrong with it."""

import csv
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def text(cell: str) -> str:
    return cell


def whole(cell: str) -> int:
    assert re.fullmatch(r"-?\d+", cell), f"{cell!r} is no whole number"
    return int(cell)


def day(cell: str) -> date:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell), f"{cell!r} is no date"
    return date.fromisoformat(cell)


def clock(cell: str) -> str:
    assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", cell), f"{cell!r} is no time of day"
    return cell


def instant(cell: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", cell), f"{cell!r} is no instant in UTC"
    return datetime.fromisoformat(cell).astimezone(UTC)


def money(cell: str) -> Decimal:
    assert re.fullmatch(r"-?\d+\.\d{2}", cell), f"{cell!r} is no amount with two decimals"
    return Decimal(cell)


def boolean(cell: str) -> bool:
    assert cell in ("true", "false"), f"{cell!r} is neither true nor false"
    return cell == "true"


def listed(cell: str) -> list[str]:
    return cell.split("|")


def one_of(words: str) -> Any:
    def read(cell: str) -> str:
        assert cell in words.split(), f"{cell!r} is none of {words}"
        return cell

    return read


def of(file: str) -> Any:
    """A reference into a file; resolved when all files are read."""

    def read(cell: str) -> str:
        return cell

    read.file = file  # ty: ignore[unresolved-attribute]
    return read


STATUSES = "SCHEDULED CONFIRMED CHECKED_IN IN_PROGRESS COMPLETED NO_SHOW CANCELLED RESCHEDULED"
FINAL = ("COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED")
LICENSES = "LPC APC LCSW LMSW LMFT PSYCHOLOGIST MD APRN OTHER"
KINDS = "INDIVIDUAL GROUP INTAKE FAMILY MEDICATION ASSESSMENT CRISIS"
NOTES = (
    "SOAP_NOTE PROGRESS_NOTE INTAKE_ASSESSMENT PSYCHIATRIC_EVALUATION TREATMENT_PLAN SAFETY_PLAN DISCHARGE_SUMMARY "
    "CRISIS_INTERVENTION"
)
METHODS = "CASH CHECK CREDIT_CARD DEBIT_CARD EFT OTHER"
STAFF, CLIENTS, CHARGES = of("staff"), of("clients"), of("charges")

# a column, * where it must be filled, and how it is read
COLUMNS: dict[str, dict[str, Any]] = {
    "practice": {
        "name*": text, "time_zone*": text, "npi": text, "tax_id": text, "average_reimbursement_target": money,
    },
    "staff": {
        "id*": text, "email*": text, "first_name*": text, "last_name*": text, "roles*": listed,
        "discipline": one_of("PSYCHOLOGY COUNSELING SOCIAL_WORK PSYCHIATRY NURSING OTHER"),
        "license_type": one_of(LICENSES), "license_number": text, "npi": text, "supervisor_id": STAFF,
        "base_pay_rate": money, "hired_on*": day, "left_on": day,
    },
    "clients": {
        "id*": text, "first_name*": text, "last_name*": text, "birth_date*": day, "sex": text, "email": text,
        "phone": text, "address": text, "city": text, "state": text, "zip": text, "emergency_contact_name": text,
        "emergency_contact_phone": text, "self_pay*": boolean, "emancipated*": boolean, "guardian_name": text,
        "guardian_phone": text, "guardian_email": text, "referring_provider": text, "medical_notes": text,
        "high_risk_since": day, "high_risk_until": day, "primary_clinician_id": STAFF, "admitted_on*": day,
        "ended_on": day, "end_reason": one_of("DISCHARGED INACTIVE"), "portal_activated_at": instant,
    },
    "coverages": {
        "id*": text, "client_id*": CLIENTS, "rank*": whole, "payer_id*": text, "payer_name*": text,
        "member_id*": text, "group_number": text, "effective_on*": day, "ends_on": day, "verified_at": instant,
    },
    "services": {
        "code*": text, "name*": text, "kind*": one_of(KINDS), "cpt_code": text, "minutes*": whole, "rate*": money,
    },
    "rooms": {"id*": text, "name*": text, "capacity*": whole, "equipment": listed, "active*": boolean},
    "availability": {
        "id*": text, "clinician_id*": STAFF, "weekday*": one_of("0 1 2 3 4 5 6"), "start_time*": clock,
        "end_time*": clock, "effective_on": day, "ends_on": day,
    },
    "availability_exceptions": {
        "id*": text, "clinician_id*": STAFF, "date*": day, "available*": boolean, "start_time": clock,
        "end_time": clock, "reason": text,
    },
    "appointments": {
        "id*": text, "client_id*": CLIENTS, "clinician_id*": STAFF, "service_code*": of("services"),
        "room_id": of("rooms"), "starts_at*": instant, "ends_at*": instant,
        "type*": one_of(
            "INITIAL_EVALUATION FOLLOW_UP MEDICATION_MANAGEMENT THERAPY_SESSION GROUP_THERAPY FAMILY_THERAPY"
        ),
        "status*": one_of(STATUSES), "status_at": instant, "created_at*": instant,
        "booked_via*": one_of("FRONT_DESK PORTAL CLINICIAN SYNC"), "telehealth*": boolean, "group_id": text,
        "arrived_at": instant, "ready_at": instant, "actual_minutes": whole, "cancellation_reason": text,
        "rescheduled_to_id": of("appointments"), "eligibility_verified_at": instant, "special_requests": text,
    },
    "notes": {
        "id*": text, "client_id*": CLIENTS, "clinician_id*": STAFF, "appointment_id": of("appointments"),
        "type*": one_of(NOTES), "created_at*": instant, "status*": one_of("DRAFT IN_REVIEW SIGNED AMENDED"),
        "signed_at": instant, "signed_by_id": STAFF, "text": text,
    },
    "treatment_plan_reviews": {
        "id*": text, "client_id*": CLIENTS, "clinician_id*": STAFF, "reviewed_on*": day, "created_at*": instant,
    },
    "consents": {
        "id*": text, "client_id*": CLIENTS,
        "kind*": one_of("INFORMED_TREATMENT GUARDIAN TELEHEALTH CONFIDENTIALITY DATA_PROCESSING"),
        "signed_at*": instant, "signed_by_name": text, "expires_on": day, "revoked_at": instant,
    },
    "supervision": {
        "id*": text, "supervisee_id*": STAFF, "supervisor_id*": STAFF, "held_at*": instant, "hours*": money,
        "kind*": one_of("INDIVIDUAL GROUP"), "topics": listed, "note_signed_at": instant,
    },
    "trainings": {"id*": text, "staff_id*": STAFF, "kind*": one_of("HIPAA OTHER"), "completed_on*": day},
    "incidents": {"id*": text, "kind*": text, "detected_at*": instant, "responded_at": instant, "summary": text},
    "sign_ins": {"id*": text, "staff_id*": STAFF, "at*": instant},
    "charges": {
        "id*": text, "client_id*": CLIENTS, "clinician_id*": STAFF, "appointment_id": of("appointments"),
        "service_date*": day, "cpt_code*": text, "modifiers": listed, "units*": whole, "amount*": money,
        "diagnoses": listed, "created_at*": instant, "voided_at": instant,
    },
    "claims": {
        "id*": text, "control_number*": text, "client_id*": CLIENTS, "coverage_id*": of("coverages"),
        "charge_ids*": listed, "submitted_at*": instant, "first_response_at": instant,
        "first_response": one_of("ACCEPTED REJECTED"), "adjudicated_at": instant,
        "outcome": one_of("PAID PARTIAL DENIED"), "payer_claim_number": text,
    },
    "payments": {
        "id*": text, "payer*": one_of("INSURANCE CLIENT"), "client_id": CLIENTS, "payer_id": text,
        "method*": one_of(METHODS), "amount*": money, "received_on*": day, "posted_at*": instant, "reference": text,
    },
    "payment_applications": {
        "id*": text, "payment_id*": of("payments"), "charge_id*": CHARGES, "amount*": money, "posted_at*": instant,
    },
    "refunds": {
        "id*": text, "payment_id*": of("payments"), "amount*": money, "method*": one_of(METHODS),
        "refunded_at*": instant, "reason": text,
    },
    "adjustments": {
        "id*": text, "charge_id*": CHARGES, "group*": one_of("CO PR OA PI CR WO"), "reason*": text, "amount*": money,
        "posted_at*": instant,
    },
    "rates": {"staff_id": STAFF, "kind*": one_of(KINDS), "multiplier*": money, "effective_on*": day},
    "closures": {"date*": day, "reason": text},
}  # fmt: skip


class Bundle:
    """A bundle's rows by file, and by id; `problems` says what does not fit its description."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[str] = []
        self.rows = {file: self.read(folder / f"{file}.csv", file) for file in COLUMNS}
        self.extra = sorted({path.name for path in folder.iterdir()} - {f"{file}.csv" for file in COLUMNS})
        self.by_id: dict[str, dict[str, Row]] = {}
        for file in COLUMNS:
            key = "code" if file == "services" else "id"
            counted = Counter(row[key] for row in self.rows[file] if key in row)
            self.problems += [f"{file}: {found!r} stands there {n} times" for found, n in counted.items() if n > 1]
            self.by_id[file] = {row[key]: row for row in self.rows[file] if key in row}
        for file, columns in COLUMNS.items():
            for column, reader in columns.items():
                if hasattr(reader, "file"):
                    known, name = self.by_id[reader.file], column.rstrip("*")
                    self.problems += [
                        f"{file}: {name} {row[name]!r} is not in {reader.file}"
                        for row in self.rows[file]
                        if row[name] is not None and row[name] not in known
                    ]

    def __getitem__(self, file: str) -> list[Row]:
        return self.rows[file]

    def read(self, path: Path, file: str) -> list[Row]:
        columns = COLUMNS[file]
        names = [column.rstrip("*") for column in columns]
        rows = []
        with path.open(encoding="utf-8", newline="") as opened:
            reader = csv.reader(opened, strict=True)
            assert next(reader) == names, f"{file} has other columns"
            for cells in reader:
                assert len(cells) == len(names), f"{file} line {reader.line_num} has {len(cells)} cells"
                row: Row = {}
                for (column, kind), name, cell in zip(columns.items(), names, cells, strict=True):
                    try:
                        row[name] = kind(cell) if cell else None
                    except (AssertionError, ValueError) as problem:
                        self.problems.append(f"{file} line {reader.line_num} {name}: {problem}")
                        row[name] = None
                    if not cell and column.endswith("*"):
                        self.problems.append(f"{file} line {reader.line_num}: {name} is empty")
                rows.append(row)
        return rows

    def by(self, file: str, column: str) -> dict[Any, list[Row]]:
        found = defaultdict(list)
        for row in self.rows[file]:
            found[row[column]].append(row)
        return found
