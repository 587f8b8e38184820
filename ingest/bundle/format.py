"""The bundle's files and columns as data. Reader, checks, import and export all follow this one definition.

A name that ends in `*` is required. The order of files and columns is that of an export.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from practice.scheduling.models.appointments import STATUSES
from practice.scheduling.models.appointments import TYPES as APPOINTMENT_TYPES
from practice.security.permissions import STAFF_ROLES

Kind = Literal[
    "text", "prose", "email", "instant", "date", "time", "money", "hundredths", "integer", "boolean", "choice", "list"
]
MAX_NUMBER = 10**9  # whole numbers, and the whole part of amounts: what the database's columns hold
MAX_TEXT_BYTES = 2_000  # an ordinary text: a database index takes at most 2,700 bytes
MAX_NAME_BYTES = 400  # a name: one index holds the first and the last one together
MAX_PROSE_BYTES = 1_000_000  # a text that no index holds


@dataclass(frozen=True)
class Column:
    """A column of a file, with the values it accepts."""

    name: str
    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()  # the allowed values of a choice, or of a list's items
    references: str | None = None  # the table whose keys it holds
    minimum: int = 0
    maximum: int = MAX_NUMBER  # of a number, of a text's bytes, of a list's items

    @property
    def is_free_text(self) -> bool:
        """Return whether people choose the text, which may then look like a formula."""
        return self.kind in ("text", "prose", "email", "list") and not self.choices


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("id",)

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def columns_by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


def make_column(kind: Kind, name: str, **limits: Any) -> Column:
    return Column(name.removesuffix("*"), kind, name.endswith("*"), **limits)


text = partial(make_column, "text", maximum=MAX_TEXT_BYTES)
prose = partial(make_column, "prose", maximum=MAX_PROSE_BYTES)
name, email = partial(text, maximum=MAX_NAME_BYTES), partial(make_column, "email")
instant, date, time = partial(make_column, "instant"), partial(make_column, "date"), partial(make_column, "time")
money, hundredths = partial(make_column, "money"), partial(make_column, "hundredths")
integer, boolean = partial(make_column, "integer"), partial(make_column, "boolean")
signed_money, count = partial(money, minimum=-MAX_NUMBER), partial(integer, minimum=1)


def choice(name: str, *choices: str) -> Column:
    return make_column("choice", name, choices=choices)


def choice_list(name: str, *choices: str, maximum: int = MAX_NUMBER, references: str | None = None) -> Column:
    """Return a column with a list of these values, or of any text if none are named."""
    return make_column("list", name, choices=choices, maximum=maximum, references=references)


def reference(table: str, name: str) -> Column:
    """Return a column with the key of a row of a table."""
    return text(name, references=table)


SERVICE_KINDS = ("INDIVIDUAL", "GROUP", "INTAKE", "FAMILY", "MEDICATION", "ASSESSMENT", "CRISIS")
PAYMENT_METHODS = ("CASH", "CHECK", "CREDIT_CARD", "DEBIT_CARD", "EFT", "OTHER")

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "practice",
            (
                name("name*"),
                text("time_zone*"),
                text("npi"),
                text("tax_id"),
                money("average_reimbursement_target", maximum=10**7),
            ),
            key=(),
        ),
        Table(
            "staff",
            (
                text("id*"),
                email("email*"),
                name("first_name*"),
                name("last_name*"),
                choice_list("roles*", *STAFF_ROLES),
                choice("discipline", "PSYCHOLOGY", "COUNSELING", "SOCIAL_WORK", "PSYCHIATRY", "NURSING", "OTHER"),
                choice("license_type", "LPC", "APC", "LCSW", "LMSW", "LMFT", "PSYCHOLOGIST", "MD", "APRN", "OTHER"),
                text("license_number"),
                text("npi"),
                reference("staff", "supervisor_id"),
                money("base_pay_rate"),
                date("hired_on*"),
                date("left_on"),
            ),
        ),
        Table(
            "clients",
            (
                text("id*"),
                name("first_name*"),
                name("last_name*"),
                date("birth_date*"),
                text("sex"),
                text("email"),
                text("phone"),
                text("address"),
                text("city"),
                text("state"),
                text("zip"),
                text("emergency_contact_name"),
                text("emergency_contact_phone"),
                boolean("self_pay*"),
                boolean("emancipated*"),
                text("guardian_name"),
                text("guardian_phone"),
                text("guardian_email"),
                text("referring_provider"),
                prose("medical_notes"),
                date("high_risk_since"),
                date("high_risk_until"),
                reference("staff", "primary_clinician_id"),
                date("admitted_on*"),
                date("ended_on"),
                choice("end_reason", "DISCHARGED", "INACTIVE"),
                instant("portal_activated_at"),
            ),
        ),
        Table(
            "coverages",
            (
                text("id*"),
                reference("clients", "client_id*"),
                integer("rank*", minimum=1, maximum=3),
                text("payer_id*"),
                text("payer_name*"),
                text("member_id*"),
                text("group_number"),
                date("effective_on*"),
                date("ends_on"),
                instant("verified_at"),
                money("copay"),
            ),
        ),
        Table(
            "services",
            (
                text("code*"),
                text("name*"),
                choice("kind*", *SERVICE_KINDS),
                text("cpt_code"),
                count("minutes*", maximum=1440),
                money("rate*"),
            ),
            key=("code",),
        ),
        Table("rooms", (text("id*"), text("name*"), count("capacity*"), choice_list("equipment"), boolean("active*"))),
        Table(
            "availability",
            (
                text("id*"),
                reference("staff", "clinician_id*"),
                integer("weekday*", maximum=6),
                time("start_time*"),
                time("end_time*"),
                date("effective_on"),
                date("ends_on"),
            ),
        ),
        Table(
            "availability_exceptions",
            (
                text("id*"),
                reference("staff", "clinician_id*"),
                date("date*"),
                boolean("available*"),
                time("start_time"),
                time("end_time"),
                text("reason"),
            ),
        ),
        Table(
            "appointments",
            (
                text("id*"),
                reference("clients", "client_id*"),
                reference("staff", "clinician_id*"),
                reference("services", "service_code*"),
                reference("rooms", "room_id"),
                instant("starts_at*"),
                instant("ends_at*"),
                choice("type*", *APPOINTMENT_TYPES),
                choice("status*", *STATUSES),
                instant("status_at"),
                instant("created_at*"),
                choice("booked_via*", "FRONT_DESK", "PORTAL", "CLINICIAN", "SYNC"),
                boolean("telehealth*"),
                text("group_id"),
                instant("arrived_at"),
                instant("ready_at"),
                integer("actual_minutes"),
                prose("cancellation_reason"),
                reference("appointments", "rescheduled_to_id"),
                instant("eligibility_verified_at"),
                prose("special_requests"),
            ),
        ),
        Table(
            "notes",
            (
                text("id*"),
                reference("clients", "client_id*"),
                reference("staff", "clinician_id*"),
                reference("appointments", "appointment_id"),
                choice(
                    "type*",
                    "SOAP_NOTE",
                    "PROGRESS_NOTE",
                    "INTAKE_ASSESSMENT",
                    "PSYCHIATRIC_EVALUATION",
                    "TREATMENT_PLAN",
                    "SAFETY_PLAN",
                    "DISCHARGE_SUMMARY",
                    "CRISIS_INTERVENTION",
                ),
                instant("created_at*"),
                choice("status*", "DRAFT", "IN_REVIEW", "SIGNED", "AMENDED"),
                instant("signed_at"),
                reference("staff", "signed_by_id"),
                prose("text"),
            ),
        ),
        Table(
            "treatment_plan_reviews",
            (
                text("id*"),
                reference("clients", "client_id*"),
                reference("staff", "clinician_id*"),
                date("reviewed_on*"),
                instant("created_at*"),
            ),
        ),
        Table(
            "consents",
            (
                text("id*"),
                reference("clients", "client_id*"),
                choice("kind*", "INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH", "CONFIDENTIALITY", "DATA_PROCESSING"),
                instant("signed_at*"),
                text("signed_by_name"),
                date("expires_on"),
                instant("revoked_at"),
            ),
        ),
        Table(
            "supervision",
            (
                text("id*"),
                reference("staff", "supervisee_id*"),
                reference("staff", "supervisor_id*"),
                instant("held_at*"),
                hundredths("hours*", maximum=1_000),
                choice("kind*", "INDIVIDUAL", "GROUP"),
                choice_list("topics"),
                instant("note_signed_at"),
            ),
        ),
        Table(
            "trainings",
            (text("id*"), reference("staff", "staff_id*"), choice("kind*", "HIPAA", "OTHER"), date("completed_on*")),
        ),
        Table(
            "incidents",
            (text("id*"), text("kind*"), instant("detected_at*"), instant("responded_at"), prose("summary")),
        ),
        Table("sign_ins", (text("id*"), reference("staff", "staff_id*"), instant("at*"))),
        Table(
            "charges",
            (
                text("id*"),
                reference("clients", "client_id*"),
                reference("staff", "clinician_id*"),
                reference("appointments", "appointment_id"),
                date("service_date*"),
                text("cpt_code*"),
                choice_list("modifiers", maximum=4),
                count("units*"),
                money("amount*"),
                choice_list("diagnoses", maximum=12),
                instant("created_at*"),
                instant("voided_at"),
            ),
        ),
        Table(
            "claims",
            (
                text("id*"),
                text("control_number*"),
                reference("clients", "client_id*"),
                reference("coverages", "coverage_id*"),
                choice_list("charge_ids*", references="charges"),
                instant("submitted_at*"),
                instant("first_response_at"),
                choice("first_response", "ACCEPTED", "REJECTED"),
                instant("adjudicated_at"),
                choice("outcome", "PAID", "PARTIAL", "DENIED"),
                text("payer_claim_number"),
            ),
        ),
        Table(
            "payments",
            (
                text("id*"),
                choice("payer*", "INSURANCE", "CLIENT"),
                reference("clients", "client_id"),
                text("payer_id"),
                choice("method*", *PAYMENT_METHODS),
                money("amount*"),
                date("received_on*"),
                instant("posted_at*"),
                text("reference"),
                signed_money("provider_adjustments"),
            ),
        ),
        Table(
            "payment_applications",
            (
                text("id*"),
                reference("payments", "payment_id*"),
                reference("charges", "charge_id*"),
                signed_money("amount*"),
                instant("posted_at*"),
            ),
        ),
        Table(
            "refunds",
            (
                text("id*"),
                reference("payments", "payment_id*"),
                money("amount*"),
                choice("method*", *PAYMENT_METHODS),
                instant("refunded_at*"),
                prose("reason"),
            ),
        ),
        Table(
            "adjustments",
            (
                text("id*"),
                reference("charges", "charge_id*"),
                choice("group*", "CO", "PR", "OA", "PI", "CR", "WO"),
                text("reason*"),
                signed_money("amount*"),
                instant("posted_at*"),
            ),
        ),
        Table(
            "rates",
            (
                reference("staff", "staff_id"),
                choice("kind*", *SERVICE_KINDS),
                hundredths("multiplier*", maximum=1_000),
                date("effective_on*"),
            ),
            key=("staff_id", "kind", "effective_on"),
        ),
        Table("closures", (date("date*"), text("reason")), key=("date",)),
    )
}
TABLES_BY_FILE = {table.file: table for table in TABLES.values()}
