"""The standard reports. Each is a definition, as people save their own."""

from dataclasses import dataclass

from practice.reports.rules import Definition


@dataclass(frozen=True)
class StandardReport:
    """A report that every practice has."""

    key: str
    name: str
    about: str
    definition: Definition


MONEY = ("revenue", "revenue_share", "charged", "collected", "collected_rate")

STANDARD_REPORTS = {
    report.key: report
    for report in (
        StandardReport(
            "revenue_by_clinician",
            "Revenue by clinician",
            "Money posted, charged and collected, by the clinician of the charge",
            Definition(MONEY, "clinician", order_by="revenue", descending=True),
        ),
        StandardReport(
            "revenue_by_code",
            "Revenue by code",
            "Money posted, charged and collected, by the CPT code of the charge",
            Definition(MONEY, "code", order_by="revenue", descending=True),
        ),
        StandardReport(
            "revenue_by_payer",
            "Revenue by payer",
            "Money posted, by who paid it",
            Definition(("revenue", "revenue_share"), "payer", order_by="revenue", descending=True),
        ),
        StandardReport(
            "productivity",
            "Productivity",
            "Visits kept, missed and rebooked, sessions a day, and time to the signed note",
            Definition(
                (
                    *("kept_visit_rate", "no_show_rate", "cancellation_rate", "rebook_rate", "sessions_per_day"),
                    *("avg_session_minutes", "avg_documentation_hours"),
                ),
                "clinician",
            ),
        ),
        StandardReport(
            "compliance",
            "Compliance",
            "Unsigned notes, plans, consents and trainings",
            Definition(
                (
                    *("unsigned_note_backlog", "notes_signed_within_7_days_rate", "treatment_plan_currency"),
                    *("safety_plan_compliance", "informed_consent_currency", "minor_consent_compliance"),
                    *("telehealth_consent_compliance", "hipaa_training_current"),
                ),
                "clinician",
                order_by="unsigned_note_backlog",
                descending=True,
            ),
        ),
        StandardReport(
            "payer_mix",
            "Payer mix",
            "Charges by the client's coverage, beside the money by who paid it",
            Definition(
                ("charged", "charged_share", "revenue", "revenue_share"), "payer", order_by="charged", descending=True
            ),
        ),
        StandardReport(
            "denials",
            "Denials",
            "Claims decided and denied, by payer",
            Definition(
                ("claims_decided", "claims_denied", "claims_denied_rate", "charges_denied"),
                "payer",
                order_by="claims_denied",
                descending=True,
            ),
        ),
        StandardReport(
            "clients_by_age",
            "Clients by age group",
            "Active clients on the last day of the period",
            Definition(("active_clients", "client_share"), "age"),
        ),
        StandardReport(
            "clients_by_gender",
            "Clients by gender",
            "Active clients on the last day of the period",
            Definition(("active_clients", "client_share"), "sex"),
        ),
        StandardReport(
            "clients_by_payer",
            "Clients by payer",
            "Active clients on the last day of the period, by their primary coverage",
            Definition(("active_clients", "client_share"), "payer", order_by="active_clients", descending=True),
        ),
    )
}
