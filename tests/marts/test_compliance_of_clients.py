"""The compliance checks of clients beside consents: the status of each on every day."""

from datetime import date
from typing import Any

from practice.clinical.models.notes import Note
from practice.clinical.models.plans import TreatmentPlanReview
from practice.people.models.clients import Client, ClientStatus, Coverage
from tests.support.builders.compliance import CompliancePractice, at

NOT_YET = ("not_applicable", "2024-01-01")


def test_a_treatment_plan_is_due_every_90_days(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    assert compliance.list_spans("treatment_plan", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("alert", "2024-05-01"),
        ("violation", "2024-05-02"),
    ]
    compliance.add_review(client, "2024-02-08")
    late = compliance.add_review(client, "2024-06-01", known_at=at("2024-06-03"))
    reviewed = [NOT_YET, ("due", "2024-02-01"), ("ok", "2024-02-08"), ("due", "2024-04-28"), ("alert", "2024-05-08")]
    assert compliance.list_spans("treatment_plan", client) == [
        *reviewed,
        ("violation", "2024-05-09"),
        ("ok", "2024-06-03"),
        ("due", "2024-08-20"),
        ("alert", "2024-08-30"),
        ("violation", "2024-08-31"),
    ]
    compliance.change(TreatmentPlanReview, late, at("2024-06-20"), voided_at=at("2024-06-20"), void_reason="x")
    assert compliance.list_spans("treatment_plan", client) == [
        *reviewed,
        ("violation", "2024-05-09"),
        ("ok", "2024-06-03"),
        ("violation", "2024-06-20"),
    ]


def test_a_changed_setting_changes_no_day_before_it(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    compliance.add_review(client, "2024-02-01")
    compliance.set_setting("plan_reminder_days", 20, "2024-03-13")  # a Wednesday
    compliance.set_setting("plan_review_days", 40, "2024-03-13", set_at=at("2024-03-10"))
    compliance.set_setting("plan_review_days", 50, "2024-03-13", set_at=at("2024-03-12"))
    compliance.set_setting("plan_review_days", 90, "2024-04-10")
    assert compliance.list_spans("treatment_plan", client) == [
        NOT_YET,
        ("ok", "2024-02-01"),
        ("due", "2024-03-13"),
        ("alert", "2024-03-22"),
        ("violation", "2024-03-23"),
        ("due", "2024-04-10"),
        ("alert", "2024-05-01"),
        ("violation", "2024-05-02"),
    ]


def test_longer_and_shorter_validity_change_no_day_before(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(self_pay=False), compliance.practice.admin.staff_id
    compliance.change(Client, client, at("2024-02-01"), high_risk_since=date(2024, 2, 1))
    compliance.add_note(client, staff, at("2024-02-01"), type="SAFETY_PLAN")
    compliance.add_coverage(client, effective_on=date(2024, 2, 1), verified_at=at("2024-02-01"))
    for days, day in ((10, "2024-02-01"), (40, "2024-02-20"), (10, "2024-03-01")):
        for key in ("safety_plan_days", "coverage_verification_days"):
            compliance.set_setting(key, days, day)
    for check, otherwise in (("safety_plan", "violation"), ("insurance", "alert")):
        assert compliance.list_spans(check, client) == [
            NOT_YET,
            ("ok", "2024-02-01"),
            (otherwise, "2024-02-12"),
            ("ok", "2024-02-20"),
            (otherwise, "2024-03-01"),
        ]


def test_checks_apply_while_a_client_is_active(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    for status, effective_on, set_at in (
        ("ACTIVE", date(2024, 2, 1), None),
        ("DISCHARGED", date(2024, 3, 1), at("2024-03-04")),
        ("ACTIVE", date(2024, 4, 8), at("2024-04-08")),
    ):
        change = {"set_at": set_at or at("2024-02-01"), "set_by": set_at and compliance.practice.admin.account_id}
        compliance.save(ClientStatus(client_id=client, status=status, effective_on=effective_on, **change))
    assert compliance.list_spans("treatment_plan", client) == [
        NOT_YET,
        ("due", "2024-02-01"),
        ("not_applicable", "2024-03-04"),
        ("due", "2024-04-08"),
        ("alert", "2024-07-07"),
        ("violation", "2024-07-08"),
    ]
    for check in ("informed_consent", "demographics"):
        assert ("not_applicable", "2024-03-04") in compliance.list_spans(check, client)
    imported = compliance.add_client(ended_on=date(2024, 2, 20), end_reason="DISCHARGED")
    assert compliance.list_spans("demographics", imported) == [
        NOT_YET,
        ("ok", "2024-02-01"),
        ("not_applicable", "2024-02-20"),
    ]


def test_a_client_at_high_risk_needs_a_safety_plan(compliance: CompliancePractice) -> None:
    client, staff = compliance.add_client(), compliance.practice.admin.staff_id
    assert compliance.list_spans("safety_plan", client) == [NOT_YET]
    compliance.change(Client, client, at("2024-02-12"), high_risk_since=date(2024, 2, 10))
    compliance.set_setting("safety_plan_days", 30, "2024-02-01")
    plan = compliance.add_note(client, staff, at("2024-02-15"), type="SAFETY_PLAN")
    compliance.add_note(client, staff, at("2024-05-15"))  # of another type
    assert compliance.list_spans("safety_plan", client) == [
        NOT_YET,
        ("violation", "2024-02-12"),
        ("ok", "2024-02-15"),
        ("violation", "2024-03-17"),
    ]
    struck = {"status": "ENTERED_IN_ERROR", "entered_in_error_at": at("2024-03-01"), "error_reason": b"x"}
    compliance.change(Note, plan, at("2024-03-01"), entered_in_error_by_id=staff, **struck)
    compliance.change(Client, client, at("2024-04-01"), high_risk_until=date(2024, 4, 3))
    assert compliance.list_spans("safety_plan", client) == [
        NOT_YET,
        ("violation", "2024-02-12"),
        ("ok", "2024-02-15"),
        ("violation", "2024-03-01"),
        ("not_applicable", "2024-04-03"),
    ]


def test_demographics_are_complete_with_a_way_to_pay(compliance: CompliancePractice) -> None:
    client = compliance.add_client(self_pay=False)
    compliance.add_coverage(client, effective_on=date(2024, 2, 5), ends_on=date(2024, 3, 4))
    compliance.change(Client, client, at("2024-02-20"), zip=" ")
    compliance.change(Client, client, at("2024-02-25"), zip="30301")
    compliance.change(Client, client, at("2024-03-20"), self_pay=True)
    assert compliance.list_spans("demographics", client) == [
        NOT_YET,
        ("alert", "2024-02-01"),
        ("ok", "2024-02-05"),
        ("alert", "2024-02-20"),
        ("ok", "2024-02-25"),
        ("alert", "2024-03-05"),
        ("ok", "2024-03-20"),
    ]


def test_the_primary_coverage_is_verified_each_year(compliance: CompliancePractice) -> None:
    client = compliance.add_client(self_pay=False)
    assert compliance.list_spans("insurance", client) == [NOT_YET, ("needs_person", "2024-02-01")]
    compliance.set_setting("coverage_verification_days", 20, "2024-02-01")
    first = compliance.add_coverage(client, effective_on=date(2024, 2, 5))
    compliance.change(Coverage, first, at("2024-02-08"), verified_at=at("2024-02-07"))
    assert compliance.list_spans("insurance", client) == [
        NOT_YET,
        ("needs_person", "2024-02-01"),
        ("alert", "2024-02-05"),
        ("ok", "2024-02-08"),
        ("alert", "2024-02-28"),
    ]
    verified: dict[str, Any] = {"effective_on": date(2024, 2, 12), "verified_at": at("2024-02-12")}
    compliance.add_coverage(client, rank=2, **verified, ends_on=date(2024, 12, 31))
    assert ("alert", "2024-02-28") in compliance.list_spans("insurance", client), "the secondary one"
    compliance.change(Coverage, first, at("2024-02-20"), ends_on=date(2024, 2, 24))
    assert compliance.list_spans("insurance", client)[3:6] == [
        ("ok", "2024-02-08"),
        ("alert", "2024-03-04"),
        ("needs_person", "2025-01-01"),
    ]
    compliance.change(Client, client, at("2024-03-01"), self_pay=True)
    assert compliance.list_spans("insurance", client)[3:] == [("ok", "2024-02-08"), ("not_applicable", "2024-03-01")]


def test_a_voided_coverage_counts_until_it_is_voided(compliance: CompliancePractice) -> None:
    client = compliance.add_client(self_pay=False)
    coverage = compliance.add_coverage(client, effective_on=date(2024, 2, 5), verified_at=at("2024-02-06"))
    compliance.change(Coverage, coverage, at("2024-02-20"), voided_at=at("2024-02-20"), void_reason="x")
    assert compliance.list_spans("insurance", client)[2:] == [
        ("alert", "2024-02-05"),
        ("ok", "2024-02-06"),
        ("needs_person", "2024-02-20"),
    ]
    assert compliance.list_spans("demographics", client)[2:] == [("ok", "2024-02-05"), ("alert", "2024-02-20")]


def test_a_client_is_checked_from_the_day_on_which_the_record_begins(compliance: CompliancePractice) -> None:
    client = compliance.add_client(known_at=at("2024-02-12"), admitted_on=date(2024, 2, 1))
    change = {"effective_on": date(2024, 2, 1), "set_at": at("2024-02-12")}
    account = compliance.practice.admin.account_id
    compliance.save(ClientStatus(client_id=client, status="ACTIVE", set_by=account, **change))
    assert compliance.list_spans("demographics", client) == [NOT_YET, ("ok", "2024-02-12")]
    assert compliance.list_spans("treatment_plan", client)[1:3] == [("due", "2024-02-12"), ("alert", "2024-05-12")]
