"""A second reader of bundles, with csv and loops only, which lists what does not match the documented format."""

import csv
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def parse_text(cell: str) -> str:
    return cell


def parse_integer(cell: str) -> int:
    assert re.fullmatch(r"-?\d+", cell), f"{cell!r} is not a whole number"
    return int(cell)


def parse_date(cell: str) -> date:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell), f"{cell!r} is not a date"
    return date.fromisoformat(cell)


def parse_time(cell: str) -> str:
    assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", cell), f"{cell!r} is not a time of day"
    return cell


def parse_instant(cell: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", cell), f"{cell!r} is not an instant in UTC"
    return datetime.fromisoformat(cell).astimezone(UTC)


def parse_amount(cell: str) -> Decimal:
    assert re.fullmatch(r"-?\d+\.\d{2}", cell), f"{cell!r} is not an amount with two decimals"
    return Decimal(cell)


def parse_boolean(cell: str) -> bool:
    assert cell in ("true", "false"), f"{cell!r} is neither true nor false"
    return cell == "true"


def parse_list(cell: str) -> list[str]:
    return cell.split("|")


def parse_choice(choices: str) -> Any:
    """Return a parser for one of these values."""

    def parse(cell: str) -> str:
        assert cell in choices.split(), f"{cell!r} is none of {choices}"
        return cell

    return parse


def parse_reference(file: str) -> Any:
    """Return a parser for a reference into a file. References are resolved when all files are read."""

    def parse(cell: str) -> str:
        return cell

    parse.file = file  # ty: ignore[missing-attribute]
    return parse


STATUSES = "SCHEDULED CONFIRMED CHECKED_IN IN_PROGRESS COMPLETED NO_SHOW CANCELLED RESCHEDULED"
FINAL = ("COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED")
LICENSES = "LPC APC LCSW LMSW LMFT PSYCHOLOGIST MD APRN OTHER"
KINDS = "INDIVIDUAL GROUP INTAKE FAMILY MEDICATION ASSESSMENT CRISIS"
NOTES = (
    "SOAP_NOTE PROGRESS_NOTE INTAKE_ASSESSMENT PSYCHIATRIC_EVALUATION TREATMENT_PLAN SAFETY_PLAN DISCHARGE_SUMMARY "
    "CRISIS_INTERVENTION"
)
METHODS = "CASH CHECK CREDIT_CARD DEBIT_CARD EFT OTHER"
STAFF, CLIENTS, CHARGES = parse_reference("staff"), parse_reference("clients"), parse_reference("charges")

# a column, * if required, and its parser
COLUMNS: dict[str, dict[str, Any]] = {
    "practice": {
        "name*": parse_text,
        "time_zone*": parse_text,
        "npi": parse_text,
        "tax_id": parse_text,
        "average_reimbursement_target": parse_amount,
    },
    "staff": {
        "id*": parse_text,
        "email*": parse_text,
        "first_name*": parse_text,
        "last_name*": parse_text,
        "roles*": parse_list,
        "discipline": parse_choice("PSYCHOLOGY COUNSELING SOCIAL_WORK PSYCHIATRY NURSING OTHER"),
        "license_type": parse_choice(LICENSES),
        "license_number": parse_text,
        "npi": parse_text,
        "supervisor_id": STAFF,
        "base_pay_rate": parse_amount,
        "hired_on*": parse_date,
        "left_on": parse_date,
    },
    "clients": {
        "id*": parse_text,
        "first_name*": parse_text,
        "last_name*": parse_text,
        "birth_date*": parse_date,
        "sex": parse_text,
        "email": parse_text,
        "phone": parse_text,
        "address": parse_text,
        "city": parse_text,
        "state": parse_text,
        "zip": parse_text,
        "emergency_contact_name": parse_text,
        "emergency_contact_phone": parse_text,
        "self_pay*": parse_boolean,
        "emancipated*": parse_boolean,
        "guardian_name": parse_text,
        "guardian_phone": parse_text,
        "guardian_email": parse_text,
        "referring_provider": parse_text,
        "medical_notes": parse_text,
        "high_risk_since": parse_date,
        "high_risk_until": parse_date,
        "primary_clinician_id": STAFF,
        "admitted_on*": parse_date,
        "ended_on": parse_date,
        "end_reason": parse_choice("DISCHARGED INACTIVE"),
        "portal_activated_at": parse_instant,
    },
    "coverages": {
        "id*": parse_text,
        "client_id*": CLIENTS,
        "rank*": parse_integer,
        "payer_id*": parse_text,
        "payer_name*": parse_text,
        "member_id*": parse_text,
        "group_number": parse_text,
        "effective_on*": parse_date,
        "ends_on": parse_date,
        "verified_at": parse_instant,
        "copay": parse_amount,
    },
    "services": {
        "code*": parse_text,
        "name*": parse_text,
        "kind*": parse_choice(KINDS),
        "cpt_code": parse_text,
        "minutes*": parse_integer,
        "rate*": parse_amount,
    },
    "rooms": {
        "id*": parse_text,
        "name*": parse_text,
        "capacity*": parse_integer,
        "equipment": parse_list,
        "active*": parse_boolean,
    },
    "availability": {
        "id*": parse_text,
        "clinician_id*": STAFF,
        "weekday*": parse_choice("0 1 2 3 4 5 6"),
        "start_time*": parse_time,
        "end_time*": parse_time,
        "effective_on": parse_date,
        "ends_on": parse_date,
    },
    "availability_exceptions": {
        "id*": parse_text,
        "clinician_id*": STAFF,
        "date*": parse_date,
        "available*": parse_boolean,
        "start_time": parse_time,
        "end_time": parse_time,
        "reason": parse_text,
    },
    "appointments": {
        "id*": parse_text,
        "client_id*": CLIENTS,
        "clinician_id*": STAFF,
        "service_code*": parse_reference("services"),
        "room_id": parse_reference("rooms"),
        "starts_at*": parse_instant,
        "ends_at*": parse_instant,
        "type*": parse_choice(
            "INITIAL_EVALUATION FOLLOW_UP MEDICATION_MANAGEMENT THERAPY_SESSION GROUP_THERAPY FAMILY_THERAPY"
        ),
        "status*": parse_choice(STATUSES),
        "status_at": parse_instant,
        "created_at*": parse_instant,
        "booked_via*": parse_choice("FRONT_DESK PORTAL CLINICIAN SYNC"),
        "telehealth*": parse_boolean,
        "group_id": parse_text,
        "arrived_at": parse_instant,
        "ready_at": parse_instant,
        "actual_minutes": parse_integer,
        "cancellation_reason": parse_text,
        "rescheduled_to_id": parse_reference("appointments"),
        "eligibility_verified_at": parse_instant,
        "special_requests": parse_text,
    },
    "notes": {
        "id*": parse_text,
        "client_id*": CLIENTS,
        "clinician_id*": STAFF,
        "appointment_id": parse_reference("appointments"),
        "type*": parse_choice(NOTES),
        "created_at*": parse_instant,
        "status*": parse_choice("DRAFT IN_REVIEW SIGNED AMENDED"),
        "signed_at": parse_instant,
        "signed_by_id": STAFF,
        "text": parse_text,
    },
    "treatment_plan_reviews": {
        "id*": parse_text,
        "client_id*": CLIENTS,
        "clinician_id*": STAFF,
        "reviewed_on*": parse_date,
        "created_at*": parse_instant,
    },
    "consents": {
        "id*": parse_text,
        "client_id*": CLIENTS,
        "kind*": parse_choice("INFORMED_TREATMENT GUARDIAN TELEHEALTH CONFIDENTIALITY DATA_PROCESSING"),
        "signed_at*": parse_instant,
        "signed_by_name": parse_text,
        "expires_on": parse_date,
        "revoked_at": parse_instant,
    },
    "supervision": {
        "id*": parse_text,
        "supervisee_id*": STAFF,
        "supervisor_id*": STAFF,
        "held_at*": parse_instant,
        "hours*": parse_amount,
        "kind*": parse_choice("INDIVIDUAL GROUP"),
        "topics": parse_list,
        "note_signed_at": parse_instant,
    },
    "trainings": {
        "id*": parse_text,
        "staff_id*": STAFF,
        "kind*": parse_choice("HIPAA OTHER"),
        "completed_on*": parse_date,
    },
    "incidents": {
        "id*": parse_text,
        "kind*": parse_text,
        "detected_at*": parse_instant,
        "responded_at": parse_instant,
        "summary": parse_text,
    },
    "sign_ins": {"id*": parse_text, "staff_id*": STAFF, "at*": parse_instant},
    "charges": {
        "id*": parse_text,
        "client_id*": CLIENTS,
        "clinician_id*": STAFF,
        "appointment_id": parse_reference("appointments"),
        "service_date*": parse_date,
        "cpt_code*": parse_text,
        "modifiers": parse_list,
        "units*": parse_integer,
        "amount*": parse_amount,
        "diagnoses": parse_list,
        "created_at*": parse_instant,
        "voided_at": parse_instant,
    },
    "claims": {
        "id*": parse_text,
        "control_number*": parse_text,
        "client_id*": CLIENTS,
        "coverage_id*": parse_reference("coverages"),
        "charge_ids*": parse_list,
        "submitted_at*": parse_instant,
        "first_response_at": parse_instant,
        "first_response": parse_choice("ACCEPTED REJECTED"),
        "adjudicated_at": parse_instant,
        "outcome": parse_choice("PAID PARTIAL DENIED"),
        "payer_claim_number": parse_text,
    },
    "payments": {
        "id*": parse_text,
        "payer*": parse_choice("INSURANCE CLIENT"),
        "client_id": CLIENTS,
        "payer_id": parse_text,
        "method*": parse_choice(METHODS),
        "amount*": parse_amount,
        "received_on*": parse_date,
        "posted_at*": parse_instant,
        "reference": parse_text,
        "provider_adjustments": parse_amount,
    },
    "payment_applications": {
        "id*": parse_text,
        "payment_id*": parse_reference("payments"),
        "charge_id*": CHARGES,
        "amount*": parse_amount,
        "posted_at*": parse_instant,
    },
    "refunds": {
        "id*": parse_text,
        "payment_id*": parse_reference("payments"),
        "amount*": parse_amount,
        "method*": parse_choice(METHODS),
        "refunded_at*": parse_instant,
        "reason": parse_text,
    },
    "adjustments": {
        "id*": parse_text,
        "charge_id*": CHARGES,
        "group*": parse_choice("CO PR OA PI CR WO"),
        "reason*": parse_text,
        "amount*": parse_amount,
        "posted_at*": parse_instant,
    },
    "rates": {
        "staff_id": STAFF,
        "kind*": parse_choice(KINDS),
        "multiplier*": parse_amount,
        "effective_on*": parse_date,
    },
    "closures": {"date*": parse_date, "reason": parse_text},
}


class Bundle:
    """A bundle's rows by file and by id. `problems` lists what does not match the documented format."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[str] = []
        self.rows = {file: self.read_file(folder / f"{file}.csv", file) for file in COLUMNS}
        self.unknown_files = sorted({path.name for path in folder.iterdir()} - {f"{file}.csv" for file in COLUMNS})
        self.by_id: dict[str, dict[str, Row]] = {}
        for file in COLUMNS:
            key = "code" if file == "services" else "id"
            counts = Counter(row[key] for row in self.rows[file] if key in row)
            self.problems += [
                f"{file}: {row_id!r} appears {count} times" for row_id, count in counts.items() if count > 1
            ]
            self.by_id[file] = {row[key]: row for row in self.rows[file] if key in row}
        for file, columns in COLUMNS.items():
            for column, parser in columns.items():
                if hasattr(parser, "file"):
                    targets, name = self.by_id[parser.file], column.rstrip("*")
                    self.problems += [
                        f"{file}: {name} {row[name]!r} is not in {parser.file}"
                        for row in self.rows[file]
                        if row[name] is not None and row[name] not in targets
                    ]

    def __getitem__(self, file: str) -> list[Row]:
        return self.rows[file]

    def read_file(self, path: Path, file: str) -> list[Row]:
        columns = COLUMNS[file]
        names = [column.rstrip("*") for column in columns]
        rows = []
        with path.open(encoding="utf-8", newline="") as opened:
            reader = csv.reader(opened, strict=True)
            assert next(reader) == names, f"{file} has other columns"
            for cells in reader:
                assert len(cells) == len(names), f"{file} line {reader.line_num} has {len(cells)} cells"
                row: Row = {}
                for (column, parse), name, cell in zip(columns.items(), names, cells, strict=True):
                    try:
                        row[name] = parse(cell) if cell else None
                    except (AssertionError, ValueError) as problem:
                        self.problems.append(f"{file} line {reader.line_num} {name}: {problem}")
                        row[name] = None
                    if not cell and column.endswith("*"):
                        self.problems.append(f"{file} line {reader.line_num}: {name} is empty")
                rows.append(row)
        return rows

    def group_by(self, file: str, column: str) -> dict[Any, list[Row]]:
        """Return the rows of a file by the values of a column."""
        groups = defaultdict(list)
        for row in self.rows[file]:
            groups[row[column]].append(row)
        return groups
