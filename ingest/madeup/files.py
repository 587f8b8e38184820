"""The files of a bundle while they are being written: rows gathered, written in pieces, counted.

Rows are put together as text, in the form in which Caseload exports, so that what was imported is exported again
byte for byte.
"""

from pathlib import Path
from types import TracebackType

COLUMNS = {
    "practice": "name,time_zone,npi,tax_id,average_reimbursement_target",
    "staff": "id,email,first_name,last_name,roles,discipline,license_type,license_number,npi,supervisor_id,"
    "base_pay_rate,hired_on,left_on",
    "clients": "id,first_name,last_name,birth_date,sex,email,phone,address,city,state,zip,emergency_contact_name,"
    "emergency_contact_phone,self_pay,emancipated,guardian_name,guardian_phone,guardian_email,referring_provider,"
    "medical_notes,high_risk_since,high_risk_until,primary_clinician_id,admitted_on,ended_on,end_reason,"
    "portal_activated_at",
    "coverages": "id,client_id,rank,payer_id,payer_name,member_id,group_number,effective_on,ends_on,verified_at",
    "services": "code,name,kind,cpt_code,minutes,rate",
    "rooms": "id,name,capacity,equipment,active",
    "availability": "id,clinician_id,weekday,start_time,end_time,effective_on,ends_on",
    "availability_exceptions": "id,clinician_id,date,available,start_time,end_time,reason",
    "appointments": "id,client_id,clinician_id,service_code,room_id,starts_at,ends_at,type,status,status_at,"
    "created_at,booked_via,telehealth,group_id,arrived_at,ready_at,actual_minutes,cancellation_reason,"
    "rescheduled_to_id,eligibility_verified_at,special_requests",
    "notes": "id,client_id,clinician_id,appointment_id,type,created_at,status,signed_at,signed_by_id,text",
    "treatment_plan_reviews": "id,client_id,clinician_id,reviewed_on,created_at",
    "consents": "id,client_id,kind,signed_at,signed_by_name,expires_on,revoked_at",
    "supervision": "id,supervisee_id,supervisor_id,held_at,hours,kind,topics,note_signed_at",
    "trainings": "id,staff_id,kind,completed_on",
    "incidents": "id,kind,detected_at,responded_at,summary",
    "sign_ins": "id,staff_id,at",
    "charges": "id,client_id,clinician_id,appointment_id,service_date,cpt_code,modifiers,units,amount,diagnoses,"
    "created_at,voided_at",
    "claims": "id,control_number,client_id,coverage_id,charge_ids,submitted_at,first_response_at,first_response,"
    "adjudicated_at,outcome,payer_claim_number",
    "payments": "id,payer,client_id,payer_id,method,amount,received_on,posted_at,reference",
    "payment_applications": "id,payment_id,charge_id,amount,posted_at",
    "refunds": "id,payment_id,amount,method,refunded_at,reason",
    "adjustments": "id,charge_id,group,reason,amount,posted_at",
    "rates": "staff_id,kind,multiplier,effective_on",
    "closures": "date,reason",
}
PREFIXES = {
    "coverages": "V",
    "availability": "W",
    "availability_exceptions": "E",
    "appointments": "A",
    "notes": "N",
    "treatment_plan_reviews": "T",
    "consents": "O",
    "supervision": "U",
    "trainings": "H",
    "incidents": "I",
    "sign_ins": "L",
    "charges": "G",
    "claims": "B",
    "payments": "P",
    "payment_applications": "Q",
    "refunds": "R",
    "adjustments": "J",
}


class Files:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rows: dict[str, list[str]] = {name: [] for name in COLUMNS}
        self.counts = dict.fromkeys(COLUMNS, 0)
        self.numbers = dict.fromkeys(PREFIXES, 0)
        self._open = {name: (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") for name in COLUMNS}
        for name, columns in COLUMNS.items():
            self._open[name].write(columns + "\n")

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.flush()
        for file in self._open.values():
            file.close()

    def new_id(self, name: str) -> str:
        """Ids grow with the rows of a file, and sort as text as they grow."""
        self.numbers[name] = number = self.numbers[name] + 1
        return f"{PREFIXES[name]}{number:08d}"

    def add(self, name: str, *values: str) -> str:
        """A row whose first value is its new id."""
        row_id = self.new_id(name)
        self.rows[name].append(f"{row_id},{','.join(values)}\n")
        return row_id

    def flush(self) -> None:
        for name, rows in self.rows.items():
            self._open[name].write("".join(rows))
            self.counts[name] += len(rows)
            rows.clear()


class Amounts(dict[int, str]):
    """Cents as they are written, each made once."""

    def __missing__(self, cents: int) -> str:
        self[cents] = written = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
        return written


AMOUNTS = Amounts()


def cell(text: str) -> str:
    """Text as a cell of a CSV file."""
    if '"' in text or "," in text or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def boolean(value: bool) -> str:
    return "true" if value else "false"
