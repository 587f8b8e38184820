"""The bundle's files and columns, as data: what is read, checked and written stands here once.

A name that ends in `*` is required. The order of files and columns is that of an export.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from practice.security.permissions import STAFF_ROLES

Kind = Literal[
    "text", "prose", "email", "instant", "date", "time", "money", "hundredths", "integer", "boolean", "choice", "list"
]
HIGHEST = 10**9  # of whole numbers, and of amounts before the point: what the database's columns hold
LONGEST = 2_000  # bytes of an ordinary text: an index of the database takes no more than 2,700
LONGEST_NAME = 400  # bytes of a name: a first and a last one are searched by an index together
LONGEST_PROSE = 1_000_000  # bytes of a text that is only read


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    required: bool = False
    words: tuple[str, ...] = ()  # that a choice or the items of a list are taken from
    references: str | None = None  # the table whose keys it names
    least: int = 0
    most: int = HIGHEST  # of a number; of a text's bytes; of a list's items


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("id",)

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


def column(kind: Kind, name: str, **more: Any) -> Column:
    return Column(name.removesuffix("*"), kind, name.endswith("*"), **more)


text, prose = partial(column, "text", most=LONGEST), partial(column, "prose", most=LONGEST_PROSE)
name, email = partial(text, most=LONGEST_NAME), partial(column, "email")
instant, date, time = partial(column, "instant"), partial(column, "date"), partial(column, "time")
money, hundredths, integer = partial(column, "money"), partial(column, "hundredths"), partial(column, "integer")
boolean = partial(column, "boolean")
any_money = partial(money, least=-HIGHEST)
counted = partial(integer, least=1)


def one_of(name: str, *words: str) -> Column:
    return column("choice", name, words=words)


def some_of(name: str, *words: str, most: int = HIGHEST, references: str | None = None) -> Column:
    more = {"references": references} if references else {}
    return column("list", name, words=words, most=most, **more)


def to(table: str, name: str) -> Column:
    return text(name, references=table)


SERVICE_KINDS = ("INDIVIDUAL", "GROUP", "INTAKE", "FAMILY", "MEDICATION", "ASSESSMENT", "CRISIS")
METHODS = ("CASH", "CHECK", "CREDIT_CARD", "DEBIT_CARD", "EFT", "OTHER")

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
                money("average_reimbursement_target", most=10**7),
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
                some_of("roles*", *STAFF_ROLES),
                one_of("discipline", "PSYCHOLOGY", "COUNSELING", "SOCIAL_WORK", "PSYCHIATRY", "NURSING", "OTHER"),
                one_of("license_type", "LPC", "APC", "LCSW", "LMSW", "LMFT", "PSYCHOLOGIST", "MD", "APRN", "OTHER"),
                text("license_number"),
                text("npi"),
                to("staff", "supervisor_id"),
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
                to("staff", "primary_clinician_id"),
                date("admitted_on*"),
                date("ended_on"),
                one_of("end_reason", "DISCHARGED", "INACTIVE"),
                instant("portal_activated_at"),
            ),
        ),
        Table(
            "coverages",
            (
                text("id*"),
                to("clients", "client_id*"),
                integer("rank*", least=1, most=3),
                text("payer_id*"),
                text("payer_name*"),
                text("member_id*"),
                text("group_number"),
                date("effective_on*"),
                date("ends_on"),
                instant("verified_at"),
            ),
        ),
        Table(
            "services",
            (
                text("code*"),
                text("name*"),
                one_of("kind*", *SERVICE_KINDS),
                text("cpt_code"),
                counted("minutes*", most=1440),
                money("rate*"),
            ),
            key=("code",),
        ),
        Table("rooms", (text("id*"), text("name*"), counted("capacity*"), some_of("equipment"), boolean("active*"))),
        Table(
            "availability",
            (
                text("id*"),
                to("staff", "clinician_id*"),
                integer("weekday*", most=6),
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
                to("staff", "clinician_id*"),
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
                to("clients", "client_id*"),
                to("staff", "clinician_id*"),
                to("services", "service_code*"),
                to("rooms", "room_id"),
                instant("starts_at*"),
                instant("ends_at*"),
                one_of(
                    "type*",
                    "INITIAL_EVALUATION",
                    "FOLLOW_UP",
                    "MEDICATION_MANAGEMENT",
                    "THERAPY_SESSION",
                    "GROUP_THERAPY",
                    "FAMILY_THERAPY",
                ),
                one_of(
                    "status*",
                    "SCHEDULED",
                    "CONFIRMED",
                    "CHECKED_IN",
                    "IN_PROGRESS",
                    "COMPLETED",
                    "NO_SHOW",
                    "CANCELLED",
                    "RESCHEDULED",
                ),
                instant("status_at"),
                instant("created_at*"),
                one_of("booked_via*", "FRONT_DESK", "PORTAL", "CLINICIAN", "SYNC"),
                boolean("telehealth*"),
                text("group_id"),
                instant("arrived_at"),
                instant("ready_at"),
                integer("actual_minutes"),
                prose("cancellation_reason"),
                to("appointments", "rescheduled_to_id"),
                instant("eligibility_verified_at"),
                prose("special_requests"),
            ),
        ),
        Table(
            "notes",
            (
                text("id*"),
                to("clients", "client_id*"),
                to("staff", "clinician_id*"),
                to("appointments", "appointment_id"),
                one_of(
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
                one_of("status*", "DRAFT", "IN_REVIEW", "SIGNED", "AMENDED"),
                instant("signed_at"),
                to("staff", "signed_by_id"),
                prose("text"),
            ),
        ),
        Table(
            "treatment_plan_reviews",
            (
                text("id*"),
                to("clients", "client_id*"),
                to("staff", "clinician_id*"),
                date("reviewed_on*"),
                instant("created_at*"),
            ),
        ),
        Table(
            "consents",
            (
                text("id*"),
                to("clients", "client_id*"),
                one_of("kind*", "INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH", "CONFIDENTIALITY", "DATA_PROCESSING"),
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
                to("staff", "supervisee_id*"),
                to("staff", "supervisor_id*"),
                instant("held_at*"),
                hundredths("hours*", most=1_000),
                one_of("kind*", "INDIVIDUAL", "GROUP"),
                some_of("topics"),
                instant("note_signed_at"),
            ),
        ),
        Table(
            "trainings",
            (text("id*"), to("staff", "staff_id*"), one_of("kind*", "HIPAA", "OTHER"), date("completed_on*")),
        ),
        Table(
            "incidents",
            (text("id*"), text("kind*"), instant("detected_at*"), instant("responded_at"), prose("summary")),
        ),
        Table("sign_ins", (text("id*"), to("staff", "staff_id*"), instant("at*"))),
        Table(
            "charges",
            (
                text("id*"),
                to("clients", "client_id*"),
                to("staff", "clinician_id*"),
                to("appointments", "appointment_id"),
                date("service_date*"),
                text("cpt_code*"),
                some_of("modifiers", most=4),
                counted("units*"),
                money("amount*"),
                some_of("diagnoses", most=12),
                instant("created_at*"),
                instant("voided_at"),
            ),
        ),
        Table(
            "claims",
            (
                text("id*"),
                text("control_number*"),
                to("clients", "client_id*"),
                to("coverages", "coverage_id*"),
                some_of("charge_ids*", references="charges"),
                instant("submitted_at*"),
                instant("first_response_at"),
                one_of("first_response", "ACCEPTED", "REJECTED"),
                instant("adjudicated_at"),
                one_of("outcome", "PAID", "PARTIAL", "DENIED"),
                text("payer_claim_number"),
            ),
        ),
        Table(
            "payments",
            (
                text("id*"),
                one_of("payer*", "INSURANCE", "CLIENT"),
                to("clients", "client_id"),
                text("payer_id"),
                one_of("method*", *METHODS),
                money("amount*"),
                date("received_on*"),
                instant("posted_at*"),
                text("reference"),
            ),
        ),
        Table(
            "payment_applications",
            (
                text("id*"),
                to("payments", "payment_id*"),
                to("charges", "charge_id*"),
                any_money("amount*"),
                instant("posted_at*"),
            ),
        ),
        Table(
            "refunds",
            (
                text("id*"),
                to("payments", "payment_id*"),
                money("amount*"),
                one_of("method*", *METHODS),
                instant("refunded_at*"),
                prose("reason"),
            ),
        ),
        Table(
            "adjustments",
            (
                text("id*"),
                to("charges", "charge_id*"),
                one_of("group*", "CO", "PR", "OA", "PI", "CR", "WO"),
                text("reason*"),
                any_money("amount*"),
                instant("posted_at*"),
            ),
        ),
        Table(
            "rates",
            (
                to("staff", "staff_id"),
                one_of("kind*", *SERVICE_KINDS),
                hundredths("multiplier*", most=1_000),
                date("effective_on*"),
            ),
            key=("staff_id", "kind", "effective_on"),
        ),
        Table("closures", (date("date*"), text("reason")), key=("date",)),
    )
}
FILES = {table.file: table for table in TABLES.values()}
