"""The session completion endpoints: fields, permissions, filters, creating, voiding and reversing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.builders.sessions import pay_session
from tests.support.drivers.booking import assert_error, parse_instant
from tests.support.drivers.sessions import BASE, DEADLINE, LAST_WEEK, LOCKED_TUESDAY, THIS_WEEK, TUESDAY, SessionsApi

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# Fields and lists


def test_the_fields_of_a_session(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(signed_at=TUESDAY + 3 * HOUR)
    [note] = sessions_api.load_rows(
        "select id from notes where tenant_id = :tenant_id and appointment_id = :id", id=session
    )
    [names] = sessions_api.load_rows(
        """
        select c.first_name || ' ' || c.last_name as client, s.first_name || ' ' || s.last_name as provider
        from appointments as a
        join clients as c on c.tenant_id = a.tenant_id and c.id = a.client_id
        join staff as s on s.tenant_id = a.tenant_id and s.id = a.clinician_id
        where a.tenant_id = :tenant_id and a.id = :id
        """,
        id=session,
    )
    fields = sessions_api.read(session)
    signed_at, deadline = fields.pop("noteSignedAt"), fields.pop("noteDeadline")
    assert fields == {
        "id": str(session),
        "appointmentId": str(session),
        "providerId": str(sessions_api.clinician.staff_id),
        "providerName": names.provider,
        "clientId": str(sessions_api.sessions.client),
        "clientName": names.client,
        "sessionType": "INDIVIDUAL",
        "durationMinutes": 60,
        "sessionDate": "2026-03-17",
        "noteId": str(note.id),
        "isNoteSigned": True,
        "isLocked": False,
        "lockedAt": None,
        "lockCause": None,
        "lockReason": None,
        "calculatedAmount": "80.00",
        "payPeriodWeek": "2026-03-15",
        "isPaid": False,
        "supervisorOverrideBy": None,
        "supervisorOverrideByName": None,
        "supervisorOverrideReason": None,
        "supervisorOverrideAt": None,
        "supervisorOverrideUntil": None,
        "lateness": "ok",
        "paidWeek": None,
        "voidReason": None,
        "version": 0,
    }
    assert (parse_instant(signed_at), parse_instant(deadline)) == (TUESDAY + 3 * HOUR, DEADLINE)


def test_dates_and_weeks_are_in_the_practices_time_zone(sessions_api: SessionsApi) -> None:
    """Saturday at 23:00 and Sunday at 00:05 in New York."""
    saturday, sunday = datetime(2026, 3, 15, 3, tzinfo=UTC), datetime(2026, 3, 15, 4, 5, tzinfo=UTC)
    first, second = (sessions_api.read(sessions_api.add_session(start)) for start in (saturday, sunday))
    assert (first["sessionDate"], first["payPeriodWeek"]) == ("2026-03-14", "2026-03-08")
    assert (second["sessionDate"], second["payPeriodWeek"]) == ("2026-03-15", "2026-03-15")
    assert parse_instant(first["noteDeadline"]) == DEADLINE - 7 * DAY
    assert parse_instant(second["noteDeadline"]) == DEADLINE


def test_an_unsigned_session_is_locked_from_the_deadline_of_its_week(sessions_api: SessionsApi) -> None:
    sessions_api.add_session()
    session = sessions_api.add_session(LOCKED_TUESDAY)
    fields = sessions_api.read(session)
    assert (fields["isNoteSigned"], fields["noteSignedAt"], fields["noteId"], fields["isLocked"]) == (
        False,
        None,
        None,
        True,
    )
    assert (fields["lockedAt"], fields["lockCause"]) == (fields["noteDeadline"], "DEADLINE")
    assert parse_instant(fields["lockedAt"]) == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert fields["lateness"] == "hold"


def test_minutes_and_kind_come_from_the_completion(sessions_api: SessionsApi) -> None:
    intake = make_service(sessions_api.practice, minutes=45, kind="INTAKE")
    session = sessions_api.add_session(service=intake)
    assert sessions_api.post(by=sessions_api.scheduler, appointmentId=session).status_code == 201
    change = "update services set minutes = 90, kind = 'GROUP' where tenant_id = :tenant_id and id = :id returning id"
    sessions_api.load_rows(change, id=intake)
    fields = sessions_api.read(session)
    assert (fields["sessionType"], fields["durationMinutes"], fields["calculatedAmount"]) == ("INTAKE", 45, "75.00")


def test_a_group_is_paid_at_one_of_its_seats(sessions_api: SessionsApi) -> None:
    from practice.scheduling.models.appointments import GroupSession

    service = make_service(sessions_api.practice, kind="GROUP", capacity=4)
    group = GroupSession(id=new_id(), clinician_id=sessions_api.clinician.staff_id, service_id=service)
    group.starts_at, group.ends_at, group.capacity, group.created_at = TUESDAY, TUESDAY + HOUR, 4, sessions_api.now
    put(sessions_api.practice, group)
    seats = [
        sessions_api.add_session(service=service, client=make_client(sessions_api.practice), group_session_id=group.id)
        for _ in range(3)
    ]
    amounts = [sessions_api.read(seat)["calculatedAmount"] for seat in sorted(seats, key=str)]
    assert amounts == ["120.00", "0.00", "0.00"]


def test_only_roles_that_read_this_pay_see_amounts(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session()
    for person, amount in (
        (sessions_api.admin, "80.00"),
        (sessions_api.supervisor, "80.00"),
        (sessions_api.clinician, "80.00"),
        (sessions_api.biller, "80.00"),
        (sessions_api.scheduler, None),
    ):
        assert sessions_api.read(session, person)["calculatedAmount"] == amount, person.roles
        [item] = sessions_api.get("", person).json()["items"]
        assert item["calculatedAmount"] == amount
    without_rate = sessions_api.add_session(clinician=sessions_api.other)
    assert sessions_api.read(without_rate)["calculatedAmount"] is None


def test_each_role_sees_the_sessions_within_its_scope(sessions_api: SessionsApi) -> None:
    own, others = sessions_api.add_session(), sessions_api.add_session(clinician=sessions_api.other)
    supervisors = sessions_api.add_session(clinician=sessions_api.supervisor)
    everything = {own, others, supervisors}
    for person, expected in (
        (sessions_api.admin, everything),
        (sessions_api.scheduler, everything),
        (sessions_api.biller, everything),
        (sessions_api.supervisor, {own, supervisors}),
        (sessions_api.clinician, {own}),
        (sessions_api.other, {others}),
    ):
        assert set(sessions_api.list_ids(person)) == expected, person.roles
        for session in everything:
            status = 200 if session in expected else 404
            assert sessions_api.get(f"/{session}", person).status_code == status
    for person in (sessions_api.analyst, sessions_api.client):
        assert sessions_api.get("", person).status_code == 403
        assert sessions_api.get(f"/{own}", person).status_code == 403


def test_only_completed_appointments_are_sessions(sessions_api: SessionsApi) -> None:
    for status in ("SCHEDULED", "NO_SHOW", "CANCELLED", "IN_PROGRESS"):
        appointment = sessions_api.add_session(status=status)
        assert sessions_api.get(f"/{appointment}").status_code == 404
    assert sessions_api.list_ids() == []


def test_lists_can_be_filtered(sessions_api: SessionsApi) -> None:
    plain, signed = sessions_api.add_session(), sessions_api.add_session(signed_at=TUESDAY + HOUR)
    locked = sessions_api.add_session(LOCKED_TUESDAY)
    late = sessions_api.add_session(LOCKED_TUESDAY, signed_at=TUESDAY)
    paid = sessions_api.add_session(TUESDAY - 7 * DAY, signed_at=TUESDAY)
    other = sessions_api.add_session(
        TUESDAY - 7 * DAY, clinician=sessions_api.other, client=make_client(sessions_api.practice)
    )
    pay_session(sessions_api.practice, paid, LAST_WEEK)
    everything = {plain, signed, locked, late, paid, other}
    by_hand = sessions_api.add_session(TUESDAY + HOUR)
    assert sessions_api.post(f"/{by_hand}/lock-session", reason="Under review").status_code == 200
    for query, expected in (
        ({}, everything | {by_hand}),
        ({"signed": True}, {signed, late, paid}),
        ({"signed": False}, {plain, locked, other, by_hand}),
        ({"locked": True}, {locked, other, by_hand}),
        ({"locked": False}, {plain, signed, late, paid}),
        ({"paid": True}, {paid}),
        ({"paid": False, "signed": True}, {signed, late}),
        ({"week": THIS_WEEK}, {plain, signed, by_hand}),
        ({"week": LAST_WEEK}, {paid, other}),
        ({"provider": sessions_api.other.staff_id}, {other}),
        ({"client": sessions_api.sessions.client, "week": LAST_WEEK}, {paid}),
        ({"voided": True}, set()),
    ):
        assert set(sessions_api.list_ids(**query)) == expected, query
    for session in everything | {by_hand}:  # the filters agree with the fields
        fields = sessions_api.read(session)
        assert fields["isLocked"] == (session in {locked, other, by_hand})
        assert fields["isPaid"] == (session == paid)
    assert sessions_api.read(paid)["paidWeek"] == "2026-03-08"


def test_the_filter_for_locks_considers_unlocking(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(LOCKED_TUESDAY)
    assert sessions_api.post(f"/{session}/supervisor-override", reason="Was ill", hours=2).status_code == 200
    assert (sessions_api.list_ids(locked=True), sessions_api.read(session)["isLocked"]) == ([], False)
    sessions_api.now += 2 * HOUR
    assert (sessions_api.list_ids(locked=True), sessions_api.read(session)["isLocked"]) == ([session], True)
    assert parse_instant(sessions_api.read(session)["lockedAt"]) == sessions_api.now


def test_a_week_begins_on_a_sunday(sessions_api: SessionsApi) -> None:
    error = assert_error(sessions_api.get(week=date(2026, 3, 16)), "VALIDATION_ERROR", 422)
    assert "2026-03-15" in error["message"]


def test_lists_are_paged_with_the_latest_first(sessions_api: SessionsApi) -> None:
    sessions = [sessions_api.add_session(TUESDAY - number * HOUR) for number in range(7)]
    ids: list[UUID] = []
    cursor: dict[str, Any] = {}
    while True:
        page = sessions_api.get(limit=3, count=True, fields="id,isLocked", **cursor).json()
        assert page["total"] == 7
        assert all(set(item) == {"id", "isLocked"} for item in page["items"])
        ids += [UUID(item["id"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert ids == sessions
    assert sessions_api.list_ids(sort="sessionDate") == sessions[::-1]


# Creating


def test_a_completion_is_created_once_by_repeated_requests(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session()
    for person in (sessions_api.scheduler, sessions_api.admin, sessions_api.clinician, sessions_api.supervisor):
        by_id = sessions_api.post(by=person, appointmentId=session)
        by_path = sessions_api.request("POST", f"{BASE}/from-appointment/{session}", person)
        assert (by_id.status_code, by_path.status_code) == (201, 201)
        assert by_id.json() == by_path.json()
        assert (by_id.json()["id"], by_id.json()["version"]) == (str(session), 1)
    [completion] = sessions_api.load_completions().values()
    assert (completion.id, completion.kind, completion.minutes) == (session, "INDIVIDUAL", 60)
    assert (completion.created_by, completion.created_at) == (sessions_api.scheduler.account_id, sessions_api.now)
    assert [entry.subject_id for entry in sessions_api.load_audit_entries("session_completion.created")] == [session]


def test_completions_need_permission_and_a_completed_visible_appointment(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(clinician=sessions_api.other)
    for person in (sessions_api.biller, sessions_api.analyst, sessions_api.client):
        for response in (
            sessions_api.post(by=person, appointmentId=session),
            sessions_api.request("POST", f"{BASE}/from-appointment/{session}", person),
            sessions_api.post("/bulk-from-appointments", person, appointmentIds=[session]),
        ):
            assert_error(response, "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):  # sessions of others are not found
        assert_error(sessions_api.post(by=person, appointmentId=session), "NOT_FOUND", 404)
    assert_error(sessions_api.post(appointmentId=new_id()), "NOT_FOUND", 404)
    assert_error(sessions_api.post(appointmentId=sessions_api.add_session(status="SCHEDULED")), "WRONG_STATUS")
    assert sessions_api.load_completions() == {}


def test_a_bulk_request_reports_an_outcome_for_each_appointment(sessions_api: SessionsApi) -> None:
    new, known, voided = sessions_api.add_session(), sessions_api.add_session(), sessions_api.add_session()
    scheduled, foreign = (
        sessions_api.add_session(status="SCHEDULED"),
        sessions_api.add_session(clinician=sessions_api.other),
    )
    sessions_api.post(appointmentId=known)
    assert sessions_api.delete(voided).status_code == 204
    ids = [new, known, voided, scheduled, foreign, new]
    for repeated in (False, True):
        response = sessions_api.post("/bulk-from-appointments", sessions_api.supervisor, appointmentIds=ids)
        assert response.status_code == 200
        outcomes = {UUID(item["appointmentId"]): (item["succeeded"], item["code"]) for item in response.json()["items"]}
        assert outcomes == {
            new: (True, None),
            known: (True, None),
            voided: (False, "SESSION_VOIDED"),
            scheduled: (False, "WRONG_STATUS"),
            foreign: (False, "NOT_FOUND"),
        }, repeated
        assert len(response.json()["items"]) == 5
        assert set(sessions_api.load_completions()) == {new, known, voided}


def test_a_bulk_request_by_days_uses_the_practices_dates(sessions_api: SessionsApi) -> None:
    evening, next_day = datetime(2026, 3, 17, 3, tzinfo=UTC), datetime(2026, 3, 18, 3, 59, tzinfo=UTC)
    # Monday at 23:00, and a minute before Tuesday ends
    sessions = {sessions_api.add_session(evening), sessions_api.add_session(next_day)}
    outside = {sessions_api.add_session(evening - DAY), sessions_api.add_session(next_day + timedelta(minutes=1))}
    response = sessions_api.post(
        "/bulk-from-appointments", sessions_api.scheduler, from_=date(2026, 3, 16), to=date(2026, 3, 17)
    )
    assert {UUID(item["appointmentId"]) for item in response.json()["items"] if item["succeeded"]} == sessions
    assert set(sessions_api.load_completions()) == sessions
    assert outside.isdisjoint(sessions)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"appointmentIds": []},
        {"from": "2026-03-16"},
        {"to": "2026-03-16"},
        {"from": "2026-03-16", "to": "2026-03-15"},
        {"from": "2026-01-01", "to": "2026-03-15"},
        {"appointmentIds": [str(new_id())], "from": "2026-03-16", "to": "2026-03-16"},
        {"appointmentIds": [str(new_id())], "from": "2026-03-16"},
    ],
)
def test_a_bulk_request_has_either_ids_or_days(sessions_api: SessionsApi, body: dict[str, Any]) -> None:
    assert_error(sessions_api.request("POST", f"{BASE}/bulk-from-appointments", json=body), "VALIDATION_ERROR", 422)


# Voiding and reversing


@pytest.mark.parametrize("role", ["admin", "supervisor", "clinician"])
def test_an_unpaid_session_can_be_voided_for_good(sessions_api: SessionsApi, role: str) -> None:
    session, person = sessions_api.add_session(), getattr(sessions_api, role)
    assert sessions_api.delete(session, person).status_code == 204
    row = sessions_api.load_completions()[session]
    assert (row.voided_at, row.voided_by, row.void_reason) == (sessions_api.now, person.account_id, "Entered twice")
    assert_error(sessions_api.get(f"/{session}"), "NOT_FOUND", 404)
    assert (sessions_api.list_ids(), sessions_api.list_ids(voided=True)) == ([], [session])
    [voided] = sessions_api.get(voided=True).json()["items"]
    assert (voided["voidReason"], voided["calculatedAmount"], voided["isPaid"]) == ("Entered twice", "0.00", False)
    assert_error(sessions_api.delete(session, person), "SESSION_VOIDED")
    assert_error(sessions_api.post(appointmentId=session), "SESSION_VOIDED")
    assert [entry.subject_id for entry in sessions_api.load_audit_entries("session_completion.voided")] == [session]


def test_voiding_needs_permission_and_a_reason(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(clinician=sessions_api.other)
    for person in (sessions_api.scheduler, sessions_api.biller, sessions_api.analyst, sessions_api.client):
        assert_error(sessions_api.delete(session, person), "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):
        assert_error(sessions_api.delete(session, person), "NOT_FOUND", 404)
    assert sessions_api.request("DELETE", f"{BASE}/{session}").status_code == 422  # a reason is required
    assert sessions_api.load_completions() == {}


def test_only_an_admin_reverses_a_paid_session(sessions_api: SessionsApi) -> None:
    session, unpaid = sessions_api.add_session(signed_at=TUESDAY + HOUR), sessions_api.add_session()
    pay_session(sessions_api.practice, session, THIS_WEEK, 8000)
    assert_error(sessions_api.delete(session), "SESSION_PAID")
    for person in (sessions_api.supervisor, sessions_api.clinician, sessions_api.biller, sessions_api.scheduler):
        assert_error(sessions_api.post(f"/{session}/reverse", person, reason="Never took place"), "FORBIDDEN", 403)
    assert_error(sessions_api.post(f"/{unpaid}/reverse", reason="Never took place"), "SESSION_NOT_PAID")
    assert all(row.voided_at is None for row in sessions_api.load_completions().values())
    assert sessions_api.post(f"/{session}/reverse", reason="Never took place").status_code == 204
    assert sessions_api.load_completions()[session].void_reason == "Never took place"
    [voided] = sessions_api.get(voided=True).json()["items"]
    assert (voided["isPaid"], voided["paidWeek"]) == (True, "2026-03-15")
