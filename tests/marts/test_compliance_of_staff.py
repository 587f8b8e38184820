"""The compliance checks of staff and of the practice: the status of each on every day."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from practice.clinical.models.notes import Note
from practice.clinical.models.supervision import SupervisionSession
from practice.people.models.practices import Training
from practice.people.models.records import Incident, IncidentNotice
from tests.support.builders.compliance import CompliancePractice, at

NOT_YET = ("not_applicable", "2024-01-01")


def test_a_training_is_due_after_the_grace_days_and_then_each_year(compliance: CompliancePractice) -> None:
    staff = compliance.add_staff("biller")
    assert compliance.list_spans("hipaa_training", staff) == [
        NOT_YET,
        ("due", "2024-01-08"),
        ("alert", "2024-02-07"),
        ("violation", "2024-02-08"),
    ]
    compliance.add_training(staff, "2024-01-09", kind="OTHER")
    late = compliance.add_training(staff, "2024-01-20", known_at=at("2024-02-10"))
    assert compliance.list_spans("hipaa_training", staff)[3:] == [
        ("violation", "2024-02-08"),
        ("ok", "2024-02-10"),
        ("due", "2024-12-20"),
        ("alert", "2025-01-19"),
        ("violation", "2025-01-20"),
    ]
    compliance.change(Training, late, at("2024-03-01"), voided_at=at("2024-03-01"), void_reason="x")
    assert compliance.list_spans("hipaa_training", staff)[4:] == [("ok", "2024-02-10"), ("violation", "2024-03-01")]


def test_a_first_training_ends_the_grace_days(compliance: CompliancePractice) -> None:
    staff = compliance.add_staff("biller")
    compliance.add_training(staff, "2023-01-20", known_at=at("2024-01-10"))
    assert compliance.list_spans("hipaa_training", staff) == [
        NOT_YET,
        ("due", "2024-01-08"),
        ("alert", "2024-01-20"),
        ("violation", "2024-01-21"),
    ]


def test_settings_of_trainings_count_from_their_day(compliance: CompliancePractice) -> None:
    staff, newcomer = compliance.add_staff("biller"), compliance.add_staff("biller", hired_on="2024-03-01")
    compliance.add_training(staff, "2024-01-08")
    compliance.set_setting("hipaa_training_days", 60, "2024-03-20")
    compliance.set_setting("hipaa_grace_days", 10, "2024-03-06")
    assert compliance.list_spans("hipaa_training", staff) == [
        NOT_YET,
        ("ok", "2024-01-08"),
        ("violation", "2024-03-20"),
    ]
    assert compliance.list_spans("hipaa_training", newcomer) == [
        NOT_YET,
        ("due", "2024-03-01"),
        ("alert", "2024-03-11"),
        ("violation", "2024-03-12"),
    ]


def test_staff_are_checked_while_they_are_employed(compliance: CompliancePractice) -> None:
    staff = compliance.add_staff("clinician", hired_on="2024-01-08", known_at=at("2024-01-10"))
    compliance.change_staff(staff, at("2024-02-20"), left_on=date(2024, 2, 24))
    compliance.change_staff(staff, at("2024-03-04"), left_on=None, hired_on=date(2024, 3, 6))
    for check in ("session_notes", "weekly_deadline"):
        assert compliance.list_spans(check, staff) == [
            NOT_YET,
            ("ok", "2024-01-10"),
            ("not_applicable", "2024-02-24"),
            ("ok", "2024-03-06"),
        ]
    compliance.change_staff(staff, at("2024-04-02"), roles=["biller"])
    assert compliance.list_spans("session_notes", staff)[4:] == [("not_applicable", "2024-04-02")]
    assert compliance.list_spans("hipaa_training", staff)[-1] == ("violation", "2024-03-06"), "of everybody"


def test_imported_staff_have_their_grace_days_from_their_first_day(compliance: CompliancePractice) -> None:
    staff = compliance.import_staff("biller", hired_on=date(2024, 1, 8), created_at=at("2024-05-01"))
    recorded = compliance.add_staff("biller", known_at=at("2024-05-01"))
    assert compliance.list_spans("hipaa_training", staff) == [
        NOT_YET,
        ("due", "2024-01-08"),
        ("alert", "2024-02-07"),
        ("violation", "2024-02-08"),
    ]
    assert compliance.list_spans("hipaa_training", recorded)[1:3] == [("due", "2024-05-01"), ("alert", "2024-05-31")]


def test_a_note_is_signed_within_seven_days(compliance: CompliancePractice) -> None:
    staff, client = compliance.add_staff("clinician"), compliance.add_client()
    visit = compliance.add_visit(client, staff, at("2024-02-06", 15))  # a Tuesday
    late = [
        NOT_YET,
        ("ok", "2024-01-08"),
        ("due", "2024-02-11"),
        ("alert", "2024-02-13"),
        ("violation", "2024-02-14"),
    ]
    weekly = [
        NOT_YET,
        ("ok", "2024-01-08"),
        ("due", "2024-02-09"),
        ("alert", "2024-02-11"),
        ("violation", "2024-02-12"),
    ]
    assert compliance.list_spans("session_notes", staff) == late
    assert compliance.list_spans("weekly_deadline", staff) == weekly
    compliance.add_note(client, staff, None, appointment_id=visit)
    compliance.add_note(client, staff, at("2024-02-07"), appointment_id=visit, type="TREATMENT_PLAN")
    assert compliance.list_spans("session_notes", staff) == late
    note = compliance.add_note(client, staff, at("2024-02-20", 23), appointment_id=visit)
    assert compliance.list_spans("session_notes", staff) == [*late, ("ok", "2024-02-20")]
    assert compliance.list_spans("weekly_deadline", staff) == [*weekly, ("ok", "2024-02-20")]
    struck = {"status": "ENTERED_IN_ERROR", "entered_in_error_at": at("2024-03-01"), "error_reason": b"x"}
    compliance.change(Note, note, at("2024-03-01"), entered_in_error_by_id=staff, **struck)
    for check in ("session_notes", "weekly_deadline"):
        assert compliance.list_spans(check, staff)[5:] == [("ok", "2024-02-20"), ("violation", "2024-03-01")]
    other = compliance.add_note(client, staff, at("2024-03-05"))
    compliance.change(Note, other, at("2024-03-08"), appointment_id=visit)
    assert compliance.list_spans("session_notes", staff)[6:] == [("violation", "2024-03-01"), ("ok", "2024-03-08")]


def test_the_worst_of_several_sessions_decides(compliance: CompliancePractice) -> None:
    staff, client = compliance.add_staff("clinician"), compliance.add_client()
    first = compliance.add_visit(client, staff, at("2024-02-06", 15))
    compliance.add_visit(client, staff, at("2024-02-09", 15))
    compliance.add_note(client, staff, at("2024-02-15"), appointment_id=first)
    assert compliance.list_spans("session_notes", staff)[2:] == [
        ("due", "2024-02-11"),
        ("alert", "2024-02-13"),
        ("violation", "2024-02-14"),
        ("due", "2024-02-15"),
        ("alert", "2024-02-16"),
        ("violation", "2024-02-17"),
    ]


def test_a_session_counts_from_its_completion_and_by_the_settings_of_each_day(compliance: CompliancePractice) -> None:
    staff, client = compliance.add_staff("clinician"), compliance.add_client()
    compliance.add_visit(client, staff, at("2024-02-06", 15), status_at=at("2024-02-15"))
    compliance.add_visit(client, staff, at("2024-02-06", 17), status="NO_SHOW")
    compliance.set_setting("note_alert_days", 14, "2024-02-18")
    compliance.set_setting("note_reminder_days", 13, "2024-02-18")
    assert compliance.list_spans("session_notes", staff) == [
        NOT_YET,
        ("ok", "2024-01-08"),
        ("violation", "2024-02-15"),
        ("ok", "2024-02-18"),
        ("due", "2024-02-19"),
        ("alert", "2024-02-20"),
        ("violation", "2024-02-21"),
    ]
    assert compliance.list_spans("weekly_deadline", staff)[2:] == [("violation", "2024-02-15")]


def test_stricter_settings_of_notes_change_no_day_before_them(compliance: CompliancePractice) -> None:
    staff, client = compliance.add_staff("clinician"), compliance.add_client()
    compliance.add_visit(client, staff, at("2024-02-06", 15))
    compliance.set_setting("note_alert_days", 2, "2024-02-10")
    compliance.set_setting("note_reminder_days", 1, "2024-02-10")
    assert compliance.list_spans("session_notes", staff) == [
        NOT_YET,
        ("ok", "2024-01-08"),
        ("violation", "2024-02-10"),
    ]


def supervise(compliance: CompliancePractice, staff: UUID, held_on: str, hours: str, known_at: Any = None) -> UUID:
    session = SupervisionSession(
        supervisee_id=staff,
        supervisor_id=compliance.practice.admin.staff_id,
        held_at=at(held_on),
        hours=Decimal(hours),
        kind="INDIVIDUAL",
    )
    return compliance.save(session, known_at or at(held_on, 13))


@pytest.mark.parametrize(
    ("license_type", "hours", "spans"),
    [
        ("LPC", "2", [("ok", "2024-02-10")]),
        ("APC", "1.75", [("due", "2024-02-23"), ("alert", "2024-02-29"), ("violation", "2024-03-01")]),
        ("LMSW", "2", [("due", "2024-02-23"), ("alert", "2024-02-29"), ("violation", "2024-03-01")]),
        ("LMSW", "4", [("ok", "2024-02-10")]),
    ],
)
def test_licenses_require_hours_of_supervision_each_month(
    compliance: CompliancePractice, license_type: str, hours: str, spans: list[tuple[str, str]]
) -> None:
    staff = compliance.add_staff("clinician", license_type=license_type)
    supervise(compliance, staff, "2024-02-10", hours)
    ok = [("ok", "2024-02-01")]
    if spans[0][0] == "ok":  # until the last week of March
        spans = [("due", "2024-03-25"), ("alert", "2024-03-31"), ("violation", "2024-04-01")]
    shown = compliance.list_spans("supervision_hours", staff)
    assert shown[: 2 + len(spans)] == [NOT_YET, *ok, *spans], "not applicable in the month in which they were hired"


def test_hours_recorded_late_end_the_violation_on_their_day(compliance: CompliancePractice) -> None:
    staff = compliance.add_staff("clinician", license_type="LPC")
    supervise(compliance, staff, "2024-02-20", "2", known_at=at("2024-03-05"))
    session = supervise(compliance, staff, "2024-03-06", "2")
    compliance.change(SupervisionSession, session, at("2024-03-26"), hours=Decimal(1))
    assert compliance.list_spans("supervision_hours", staff)[:8] == [
        NOT_YET,
        ("ok", "2024-02-01"),
        ("due", "2024-02-23"),
        ("alert", "2024-02-29"),
        ("violation", "2024-03-01"),
        ("ok", "2024-03-05"),
        ("due", "2024-03-26"),
        ("alert", "2024-03-31"),
    ]
    compliance.change(SupervisionSession, session, at("2024-03-27"), voided_at=at("2024-03-27"), void_reason="x")
    supervise(compliance, staff, "2024-03-27", "1")
    assert compliance.list_spans("supervision_hours", staff)[6:8] == [("due", "2024-03-26"), ("alert", "2024-03-31")]


def test_required_hours_follow_license_employment_and_settings(compliance: CompliancePractice) -> None:
    staff = compliance.add_staff("clinician", license_type="LCSW")
    assert compliance.list_spans("supervision_hours", staff) == [NOT_YET]
    compliance.change_staff(staff, at("2024-02-05"), license_type=None)
    compliance.change_staff(staff, at("2024-02-12"), license_type="LPC")
    supervise(compliance, staff, "2024-02-12", "2")
    supervise(compliance, staff, "2024-03-12", "2")
    compliance.set_setting("supervision_hours_lpc", 3, "2024-03-13")
    compliance.set_setting("supervision_hours_lpc", 2, "2024-04-01")
    assert compliance.list_spans("supervision_hours", staff) == [
        NOT_YET,
        ("needs_person", "2024-02-05"),
        ("ok", "2024-02-12"),
        ("due", "2024-03-25"),
        ("alert", "2024-03-31"),
        ("violation", "2024-04-01"),
    ]
    compliance.change_staff(staff, at("2024-04-10"), left_on=date(2024, 4, 20))
    assert compliance.list_spans("supervision_hours", staff)[5:] == [
        ("violation", "2024-04-01"),
        ("not_applicable", "2024-04-20"),
    ]


def test_the_month_of_a_leaver_requires_no_hours(compliance: CompliancePractice) -> None:
    staff = compliance.add_staff("clinician", license_type="LPC")
    supervise(compliance, staff, "2024-02-12", "2")
    compliance.change_staff(staff, at("2024-03-04"), left_on=date(2024, 3, 31))
    assert compliance.list_spans("supervision_hours", staff) == [
        NOT_YET,
        ("ok", "2024-02-01"),
        ("not_applicable", "2024-03-04"),
    ]


def test_the_note_of_a_supervision_session_is_signed_within_seven_days(compliance: CompliancePractice) -> None:
    staff = compliance.add_staff("clinician")
    assert compliance.list_spans("supervision_notes", staff) == [NOT_YET]
    session = supervise(compliance, staff, "2024-02-06", "1")
    late = [NOT_YET, ("due", "2024-02-06"), ("alert", "2024-02-13"), ("violation", "2024-02-14")]
    assert compliance.list_spans("supervision_notes", staff) == late
    compliance.change(SupervisionSession, session, at("2024-02-16"), note_signed_at=at("2024-02-16"))
    supervise(compliance, staff, "2024-03-05", "1", known_at=at("2024-03-20"))
    compliance.set_setting("supervision_note_days", 30, "2024-03-21")
    assert compliance.list_spans("supervision_notes", staff) == [
        *late,
        ("ok", "2024-02-16"),
        ("violation", "2024-03-20"),
        ("due", "2024-03-21"),
        ("alert", "2024-04-04"),
        ("violation", "2024-04-05"),
    ]


def report(compliance: CompliancePractice, detected_on: str, people: int | None, known_at: Any = None) -> UUID:
    incident = Incident(kind="BREACH", detected_at=at(detected_on), people_affected=people, version=1)
    return compliance.save(incident, known_at or at(detected_on, 13))


def test_an_incident_is_answered_on_its_day(compliance: CompliancePractice) -> None:
    assert compliance.list_spans("incident_response") == [NOT_YET]
    incident = report(compliance, "2024-02-06", 0)
    assert compliance.list_spans("incident_response") == [
        NOT_YET,
        ("alert", "2024-02-06"),
        ("violation", "2024-02-07"),
    ]
    compliance.change(Incident, incident, at("2024-02-10"), responded_at=at("2024-02-06", 14))
    answered = [NOT_YET, ("alert", "2024-02-06"), ("violation", "2024-02-07"), ("ok", "2024-02-10")]
    assert compliance.list_spans("incident_response") == answered
    report(compliance, "2024-02-20", 0, known_at=at("2024-02-22"))
    assert compliance.list_spans("incident_response") == [*answered, ("violation", "2024-02-22")]


def test_a_voided_incident_asks_for_nothing(compliance: CompliancePractice) -> None:
    incident = report(compliance, "2024-02-06", None)
    compliance.change(Incident, incident, at("2024-02-08"), voided_at=at("2024-02-08"), void_reason="x")
    assert compliance.list_spans("incident_response")[1:] == [
        ("alert", "2024-02-06"),
        ("violation", "2024-02-07"),
        ("not_applicable", "2024-02-08"),
    ]
    assert compliance.list_spans("incident_notices")[1:] == [
        ("needs_person", "2024-02-06"),
        ("not_applicable", "2024-02-08"),
    ]


def test_notices_of_an_incident_are_sent_in_time(compliance: CompliancePractice) -> None:
    incident = report(compliance, "2024-02-06", None)
    spans = [NOT_YET, ("needs_person", "2024-02-06")]
    assert compliance.list_spans("incident_notices") == spans
    compliance.change(Incident, incident, at("2024-02-09"), people_affected=3)
    notices = [
        compliance.save(
            IncidentNotice(incident_id=incident, recipients=recipients, due_on=date(2024, 4, 6)), at("2024-02-09")
        )
        for recipients in ("INDIVIDUALS", "AUTHORITY", "MEDIA")
    ]
    spans += [("due", "2024-02-09"), ("alert", "2024-04-06"), ("violation", "2024-04-07")]
    assert compliance.list_spans("incident_notices") == spans
    for notice in notices[:2]:
        compliance.change(IncidentNotice, notice, at("2024-04-09"), sent_on=date(2024, 4, 1))
    assert compliance.list_spans("incident_notices") == [*spans, ("ok", "2024-04-09")]
    compliance.change(Incident, incident, at("2024-04-12"), people_affected=500)
    assert compliance.list_spans("incident_notices")[5:] == [("ok", "2024-04-09"), ("violation", "2024-04-12")]
