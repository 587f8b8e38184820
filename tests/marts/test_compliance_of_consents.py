"""The compliance checks of consents: the status of each on every day, and past days that stay what they were."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from practice.clinical.models.plans import TreatmentPlan
from practice.people.models.clients import Client, Consent, IntakeForm
from practice.scheduling.models.appointments import Appointment
from tests.support.builders.compliance import CompliancePractice, at

NOT_YET = ("not_applicable", "2024-01-01")
INFORMED = "INFORMED_TREATMENT"
EXPIRY = [("due", "2025-02-03"), ("alert", "2025-03-05"), ("violation", "2025-03-06")]


def test_an_informed_consent_is_due_until_the_first_visit_and_lasts_a_year(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    compliance.add_visit(client, compliance.practice.admin.staff_id, at("2024-02-05", 15))
    assert compliance.list_spans("informed_consent", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("violation", "2024-02-05"),
    ]
    compliance.add_consent(client, INFORMED, at("2024-02-07", 23, 30))
    assert compliance.list_spans("informed_consent", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("violation", "2024-02-05"),
        ("ok", "2024-02-07"),
        ("due", "2025-01-08"),
        ("alert", "2025-02-07"),
        ("violation", "2025-02-08"),
    ]
    compliance.add_consent(client, INFORMED, at("2025-02-01"), expires_on=date(2025, 4, 1))
    assert compliance.list_spans("informed_consent", client)[3:] == [
        ("ok", "2024-02-07"),
        ("due", "2025-01-08"),
        ("ok", "2025-02-01"),
        ("due", "2025-03-02"),
        ("alert", "2025-04-01"),
        ("violation", "2025-04-02"),
    ]


def test_a_consent_that_was_signed_and_lapsed_before_the_first_visit_is_a_violation(
    compliance: CompliancePractice,
) -> None:
    client = compliance.add_client()
    compliance.add_consent(client, INFORMED, at("2024-02-03"), expires_on=date(2024, 2, 20))
    assert compliance.list_spans("informed_consent", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("alert", "2024-02-20"),
        ("violation", "2024-02-21"),
    ]


def test_a_completion_that_was_taken_back_counts_while_it_stood(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    visit = compliance.add_visit(
        client, compliance.practice.admin.staff_id, at("2024-02-05", 15), status="SCHEDULED", status_at=None
    )
    compliance.execute(
        "insert into session_corrections (tenant_id, id, appointment_id, undone, since, at) values"
        " (:tenant_id, uuidv7(), :visit, 'COMPLETION', :since, :at)",
        visit=visit,
        since=at("2024-02-05", 16),
        at=at("2024-02-08"),
    )
    assert compliance.list_spans("informed_consent", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("violation", "2024-02-05"),
        ("due", "2024-02-08"),
    ]


def test_revoking_and_voiding_change_no_earlier_day(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    consent = compliance.add_consent(client, INFORMED, at("2024-02-01"))
    compliance.change(Consent, consent, at("2024-03-08"), revoked_at=at("2024-03-01"))
    ok_until_recorded = [NOT_YET, ("ok", "2024-02-01"), ("violation", "2024-03-08")]
    assert compliance.list_spans("informed_consent", client) == ok_until_recorded
    late = compliance.add_consent(client, INFORMED, at("2024-03-05"), known_at=at("2024-03-12"))
    assert compliance.list_spans("informed_consent", client) == [*ok_until_recorded, ("ok", "2024-03-12"), *EXPIRY]
    compliance.change(Consent, late, at("2024-04-02"), voided_at=at("2024-04-02"), void_reason="x")
    assert compliance.list_spans("informed_consent", client) == [
        *ok_until_recorded,
        ("ok", "2024-03-12"),
        ("violation", "2024-04-02"),
    ]
    other = compliance.add_client()
    compliance.add_consent(other, INFORMED, at("2024-02-01"), revoked_at=at("2024-05-05"))
    assert compliance.list_spans("informed_consent", other)[2:] == [("violation", "2024-05-05")]


def test_a_change_of_treatment_makes_a_new_informed_consent_due(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(birth_date=date(2012, 1, 1)), compliance.practice.admin.staff_id
    for consent in (INFORMED, "GUARDIAN"):
        compliance.add_consent(client, consent, at("2024-02-01"))
    for kind, day, created in (
        ("Talk", "2024-02-02", "2024-02-02"),
        ("talk", "2024-03-01", "2024-03-01"),
        ("Play", "2024-04-01", "2024-04-03"),
    ):
        plan = TreatmentPlan(client_id=client, clinician_id=staff, kind=kind, starts_on=date.fromisoformat(day))
        plan.created_at = at(created)
        last = compliance.save(plan)
    assert compliance.list_spans("informed_consent", client) == [
        NOT_YET,
        ("ok", "2024-02-01"),
        ("due", "2024-04-03"),
        ("alert", "2025-02-01"),
        ("violation", "2025-02-02"),
    ]
    assert compliance.list_spans("guardian_consent", client)[2] == ("due", "2025-01-02"), "of any treatment"
    compliance.add_consent(client, INFORMED, at("2024-04-05"))
    assert compliance.list_spans("informed_consent", client)[1:4] == [
        ("ok", "2024-02-01"),
        ("due", "2024-04-03"),
        ("ok", "2024-04-05"),
    ]
    other = compliance.add_client()
    compliance.add_consent(other, INFORMED, at("2024-02-01"))
    assert compliance.list_spans("informed_consent", other)[2] == ("due", "2025-01-02")
    compliance.change(TreatmentPlan, last, at("2024-04-04"), voided_at=at("2024-04-04"), void_reason="x")
    assert compliance.list_spans("informed_consent", client)[1:4] == [
        ("ok", "2024-02-01"),
        ("due", "2024-04-03"),
        ("ok", "2024-04-04"),
    ]


def test_a_consent_signed_on_the_first_day_of_a_new_treatment_covers_it(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    compliance.add_consent(client, INFORMED, at("2024-03-01", 9))
    for kind, day in (("Talk", "2024-02-02"), ("Play", "2024-03-01")):
        plan = TreatmentPlan(client_id=client, clinician_id=staff, kind=kind, starts_on=date.fromisoformat(day))
        plan.created_at = at(day, 10)
        compliance.save(plan)
    assert compliance.list_spans("informed_consent", client)[1:4] == [
        ("due", "2024-02-01"),
        ("ok", "2024-03-01"),
        ("due", "2025-01-30"),
    ]


def test_a_voided_plan_is_not_what_the_next_one_is_compared_with(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    compliance.add_consent(client, INFORMED, at("2024-02-01"))
    plans = []
    for kind, day in (("Talk", "2024-02-02"), ("Play", "2024-03-01"), ("Talk", "2024-03-06")):
        plan = TreatmentPlan(client_id=client, clinician_id=staff, kind=kind, starts_on=date.fromisoformat(day))
        plan.created_at = at(day)
        plans.append(compliance.save(plan))
        if kind == "Play":
            compliance.change(TreatmentPlan, plans[1], at("2024-03-04"), voided_at=at("2024-03-04"), void_reason="x")
    assert compliance.list_spans("informed_consent", client)[1:5] == [
        ("ok", "2024-02-01"),
        ("due", "2024-03-01"),
        ("ok", "2024-03-04"),
        ("due", "2025-01-02"),
    ]


def test_a_client_who_declines_treatment_has_to_sign_again(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    compliance.add_consent(client, INFORMED, at("2024-02-01"))
    form = {"status": "COMPLETED", "started_at": at("2024-03-01"), "saved_at": at("2024-03-01")}
    for day, declined in (("2024-02-20", False), ("2024-03-01", True)):
        compliance.save(IntakeForm(client_id=client, completed_at=at(day, 10), treatment_declined=declined, **form))
    assert compliance.list_spans("informed_consent", client) == [
        NOT_YET,
        ("ok", "2024-02-01"),
        ("violation", "2024-03-01"),
    ]
    compliance.add_consent(client, INFORMED, at("2024-03-01", 11))
    assert compliance.list_spans("informed_consent", client)[1] == ("ok", "2024-02-01")
    assert compliance.list_spans("informed_consent", client)[2] == ("due", "2025-01-30")


@pytest.mark.parametrize("birth_date", [date(2006, 1, 1), date(2006, 3, 1), date(2006, 12, 31)])
def test_a_guardian_consent_tells_the_year_of_birth_alone(compliance: CompliancePractice, birth_date: date) -> None:
    """From the day on which the check no longer applies, analysts could read the birth date."""
    client = compliance.add_client(birth_date=birth_date)
    assert compliance.list_spans("guardian_consent", client) == [NOT_YET]


def test_a_guardian_consents_for_clients_under_18(compliance: CompliancePractice) -> None:
    client = compliance.add_client(birth_date=date(2008, 2, 29))
    assert compliance.list_spans("guardian_consent", client) == [NOT_YET, ("due", "2024-02-01")]
    compliance.add_visit(client, compliance.practice.admin.staff_id, at("2024-02-05", 15))
    compliance.add_consent(client, "GUARDIAN", at("2024-02-07"), expires_on=date(2024, 2, 20))
    assert compliance.list_spans("guardian_consent", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("violation", "2024-02-05"),
        ("due", "2024-02-07"),
        ("alert", "2024-02-20"),
        ("violation", "2024-02-21"),
    ]
    assert compliance.list_spans("informed_consent", client)[2] == ("violation", "2024-02-05"), "another kind"


@pytest.mark.parametrize(
    ("birth_date", "first_day"),
    [(date(2006, 3, 18), "2024-03-18"), (date(2006, 12, 31), "2024-12-31")],
)
def test_the_service_needs_the_guardian_until_the_day(
    compliance: CompliancePractice, birth_date: date, first_day: str
) -> None:
    client = compliance.add_client(birth_date=birth_date)
    query = (
        "select status, first_on::text from marts.compliance_spans where check_key = 'guardian_consent'"
        " and client_id = :id order by first_on"
    )
    with compliance.installation.store.begin_session(compliance.practice.id) as db:
        spans = [tuple(row) for row in db.execute(text(query), {"id": client})]
    assert spans == [NOT_YET, ("due", "2024-02-01"), ("not_applicable", first_day)]
    assert compliance.list_spans("guardian_consent", client) == [NOT_YET], "as analysts read"


def test_an_emancipated_client_consents_alone_from_the_day_on_which_it_is_recorded(
    compliance: CompliancePractice,
) -> None:
    client = compliance.add_client(birth_date=date(2010, 1, 1))
    compliance.change(Client, client, at("2024-03-05"), emancipated=True)
    assert compliance.list_spans("guardian_consent", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("not_applicable", "2024-03-05"),
    ]


def test_a_telehealth_consent_is_due_while_a_visit_is_ahead(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    compliance.add_visit(client, staff, at("2024-02-08", 15))  # in person
    booked = {"telehealth": True, "created_at": at("2024-02-10")}
    compliance.add_visit(client, staff, at("2024-02-20", 15), **booked)
    assert compliance.list_spans("telehealth_consent", client) == [
        NOT_YET,
        ("due", "2024-02-10"),
        ("violation", "2024-02-20"),
        ("not_applicable", "2024-02-21"),
    ]
    consent = compliance.add_consent(client, "TELEHEALTH", at("2024-02-20", 16))
    assert compliance.list_spans("telehealth_consent", client)[2] == ("violation", "2024-02-20"), "signed afterwards"
    compliance.add_consent(client, "TELEHEALTH", at("2024-02-20", 14), known_at=at("2024-02-21"))
    assert compliance.list_spans("telehealth_consent", client)[2] == ("violation", "2024-02-20"), "recorded afterwards"
    compliance.add_visit(client, staff, at("2024-03-20", 15), **booked | {"created_at": at("2024-03-01")})
    compliance.change(Consent, consent, at("2024-03-02"), voided_at=at("2024-03-02"), void_reason="x")
    assert compliance.list_spans("telehealth_consent", client)[3:] == [
        ("not_applicable", "2024-02-21"),
        ("ok", "2024-03-01"),
        ("not_applicable", "2024-03-21"),
    ]


def test_a_telehealth_consent_that_has_ended_is_due_and_asked_of_active_clients_only(
    compliance: CompliancePractice,
) -> None:
    staff = compliance.practice.admin.staff_id
    client = compliance.add_client(ended_on=date(2024, 2, 18), end_reason="DISCHARGED")
    compliance.add_visit(client, staff, at("2024-02-20", 15), telehealth=True, created_at=at("2024-02-10"))
    compliance.add_consent(client, "TELEHEALTH", at("2024-02-01"), expires_on=date(2024, 2, 15))
    assert compliance.list_spans("telehealth_consent", client) == [
        NOT_YET,
        ("due", "2024-02-10"),
        ("not_applicable", "2024-02-18"),
    ]


def test_a_telehealth_consent_revoked_before_the_visit_is_not_enough(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    compliance.add_visit(client, staff, at("2024-02-20", 15), telehealth=True, created_at=at("2024-02-10"))
    consent = compliance.add_consent(client, "TELEHEALTH", at("2024-02-10"))
    compliance.change(Consent, consent, at("2024-02-15"), revoked_at=at("2024-02-15"))
    assert compliance.list_spans("telehealth_consent", client)[1:] == [
        ("ok", "2024-02-10"),
        ("due", "2024-02-15"),
        ("violation", "2024-02-20"),
        ("not_applicable", "2024-02-21"),
    ]


def test_a_telehealth_consent_does_not_cover_the_day_on_which_it_ends(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    compliance.add_visit(client, staff, at("2024-02-20", 15), telehealth=True, created_at=at("2024-02-10"))
    compliance.add_consent(client, "TELEHEALTH", at("2024-02-01"), expires_on=date(2024, 2, 20))
    assert ("violation", "2024-02-20") in compliance.list_spans("telehealth_consent", client)


def test_a_telehealth_visit_that_has_not_begun_is_no_violation(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    soon = datetime.now(UTC) + timedelta(minutes=10)
    compliance.add_visit(client, staff, soon, telehealth=True, status="SCHEDULED", status_at=None)
    query = f"select status from compliance_spans where check_key = 'telehealth_consent' and client_id = '{client}'"
    assert compliance.read(f"{query} order by first_on desc limit 1") == [("due",)]


def test_a_telehealth_consent_signed_before_the_visit_is_enough(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    compliance.add_visit(client, staff, at("2024-02-20", 15), telehealth=True, created_at=at("2024-02-10"))
    compliance.add_consent(client, "TELEHEALTH", at("2024-02-20", 14))
    assert compliance.list_spans("telehealth_consent", client) == [
        NOT_YET,
        ("due", "2024-02-10"),
        ("ok", "2024-02-20"),
        ("not_applicable", "2024-02-21"),
    ]


@pytest.mark.parametrize("status", ["CANCELLED", "RESCHEDULED", "NO_SHOW"])
def test_a_telehealth_visit_that_does_not_take_place_asks_for_no_consent(
    compliance: CompliancePractice, status: str
) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    visit = compliance.add_visit(client, staff, at("2024-02-20", 15), telehealth=True, created_at=at("2024-02-10"))
    compliance.change(Appointment, visit, at("2024-02-15"), status=status, status_at=at("2024-02-15"))
    assert compliance.list_spans("telehealth_consent", client) == [
        NOT_YET,
        ("due", "2024-02-10"),
        ("not_applicable", "2024-02-15"),
    ]
