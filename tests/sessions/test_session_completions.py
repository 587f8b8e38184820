"""Completed sessions over the first API: their fields, who makes, sees, changes and voids them, and what is stored."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.builders.sessions import pay_for
from tests.support.drivers.booking import at, refused
from tests.support.drivers.sessions import BASE, DEADLINE, LAST_WEEK, LOCKED_TUESDAY, THIS_WEEK, TUESDAY, SessionsApi

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# What is seen of a session


def test_a_session_has_the_fields_that_it_always_had(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(signed_at=TUESDAY + 3 * HOUR)
    [note] = sessions_api.rows("select id from notes where tenant_id = :tenant_id and appointment_id = :id", id=session)
    seen = sessions_api.seen(session)
    signed_at, deadline = seen.pop("noteSignedAt"), seen.pop("noteDeadline")
    assert seen == {
        "id": str(session),
        "appointmentId": str(session),
        "providerId": str(sessions_api.clinician.staff_id),
        "clientId": str(sessions_api.sessions.client),
        "sessionType": "INDIVIDUAL",
        "durationMinutes": 60,
        "sessionDate": "2026-03-17",
        "noteId": str(note.id),
        "isNoteSigned": True,
        "isLocked": False,
        "lockedAt": None,
        "calculatedAmount": "80.00",
        "payPeriodWeek": "2026-03-15",
        "isPaid": False,
        "supervisorOverrideBy": None,
        "supervisorOverrideReason": None,
        "supervisorOverrideAt": None,
        "supervisorOverrideUntil": None,
        "lateness": "ok",
        "paidWeek": None,
        "voidReason": None,
        "version": 0,
    }
    assert (at(signed_at), at(deadline)) == (TUESDAY + 3 * HOUR, DEADLINE)


def test_dates_and_weeks_are_the_practices_own(sessions_api: SessionsApi) -> None:
    """Saturday at eleven in the evening and five minutes into Sunday, in New York."""
    saturday, sunday = datetime(2026, 3, 15, 3, tzinfo=UTC), datetime(2026, 3, 15, 4, 5, tzinfo=UTC)
    first, second = (sessions_api.seen(sessions_api.held(start)) for start in (saturday, sunday))
    assert (first["sessionDate"], first["payPeriodWeek"]) == ("2026-03-14", "2026-03-08")
    assert (second["sessionDate"], second["payPeriodWeek"]) == ("2026-03-15", "2026-03-15")
    assert at(first["noteDeadline"]) == DEADLINE - 7 * DAY
    assert at(second["noteDeadline"]) == DEADLINE


def test_an_unsigned_session_of_a_week_that_is_over_is_locked_since_its_deadline(sessions_api: SessionsApi) -> None:
    sessions_api.held()
    session = sessions_api.held(LOCKED_TUESDAY)
    seen = sessions_api.seen(session)
    assert (seen["isNoteSigned"], seen["noteSignedAt"], seen["noteId"], seen["isLocked"]) == (False, None, None, True)
    assert seen["lockedAt"] == seen["noteDeadline"]
    assert at(seen["lockedAt"]) == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert seen["lateness"] == "hold"


def test_minutes_and_kind_are_those_of_the_completion(sessions_api: SessionsApi) -> None:
    intake = make_service(sessions_api.practice, minutes=45, kind="INTAKE")
    session = sessions_api.held(service=intake)
    assert sessions_api.post(by=sessions_api.scheduler, appointmentId=session).status_code == 201
    change = "update services set minutes = 90, kind = 'GROUP' where tenant_id = :tenant_id and id = :id returning id"
    sessions_api.rows(change, id=intake)
    seen = sessions_api.seen(session)
    assert (seen["sessionType"], seen["durationMinutes"], seen["calculatedAmount"]) == ("INTAKE", 45, "75.00")


def test_a_group_is_paid_under_one_of_its_seats(sessions_api: SessionsApi) -> None:
    from practice.scheduling.models.appointments import GroupSession

    service = make_service(sessions_api.practice, kind="GROUP", capacity=4)
    group = GroupSession(id=new_id(), clinician_id=sessions_api.clinician.staff_id, service_id=service)
    group.starts_at, group.ends_at, group.capacity, group.created_at = TUESDAY, TUESDAY + HOUR, 4, sessions_api.now
    put(sessions_api.practice, group)
    seats = [
        sessions_api.held(service=service, client=make_client(sessions_api.practice), group_session_id=group.id)
        for _ in range(3)
    ]
    amounts = [sessions_api.seen(seat)["calculatedAmount"] for seat in sorted(seats, key=str)]
    assert amounts == ["120.00", "0.00", "0.00"]


def test_amounts_are_for_those_who_read_this_pay(sessions_api: SessionsApi) -> None:
    session = sessions_api.held()
    for person, amount in (
        (sessions_api.admin, "80.00"),
        (sessions_api.supervisor, "80.00"),
        (sessions_api.clinician, "80.00"),
        (sessions_api.biller, "80.00"),
        (sessions_api.scheduler, None),
    ):
        assert sessions_api.seen(session, person)["calculatedAmount"] == amount, person.roles
        [item] = sessions_api.get("", person).json()["items"]
        assert item["calculatedAmount"] == amount
    assert (
        sessions_api.seen(sessions_api.held(clinician=sessions_api.other))["calculatedAmount"] is None
    )  # nobody set a rate


def test_who_sees_which_sessions(sessions_api: SessionsApi) -> None:
    own, others = sessions_api.held(), sessions_api.held(clinician=sessions_api.other)
    supervisors = sessions_api.held(clinician=sessions_api.supervisor)
    everything = {own, others, supervisors}
    for person, expected in (
        (sessions_api.admin, everything),
        (sessions_api.scheduler, everything),
        (sessions_api.biller, everything),
        (sessions_api.supervisor, {own, supervisors}),
        (sessions_api.clinician, {own}),
        (sessions_api.other, {others}),
    ):
        assert set(sessions_api.listed(person)) == expected, person.roles
        for session in everything:
            status = 200 if session in expected else 404
            assert sessions_api.get(f"/{session}", person).status_code == status
    for person in (sessions_api.analyst, sessions_api.client):
        assert sessions_api.get("", person).status_code == 403
        assert sessions_api.get(f"/{own}", person).status_code == 403


def test_only_completed_appointments_are_sessions(sessions_api: SessionsApi) -> None:
    for status in ("SCHEDULED", "NO_SHOW", "CANCELLED", "IN_PROGRESS"):
        appointment = sessions_api.held(status=status)
        assert sessions_api.get(f"/{appointment}").status_code == 404
    assert sessions_api.listed() == []


def test_lists_are_found_by_their_filters(sessions_api: SessionsApi) -> None:
    plain, signed = sessions_api.held(), sessions_api.held(signed_at=TUESDAY + HOUR)
    locked = sessions_api.held(LOCKED_TUESDAY)
    late = sessions_api.held(LOCKED_TUESDAY, signed_at=TUESDAY)
    paid = sessions_api.held(TUESDAY - 7 * DAY, signed_at=TUESDAY)
    other = sessions_api.held(
        TUESDAY - 7 * DAY, clinician=sessions_api.other, client=make_client(sessions_api.practice)
    )
    pay_for(sessions_api.practice, paid, LAST_WEEK)
    everything = {plain, signed, locked, late, paid, other}
    by_hand = sessions_api.held(TUESDAY + HOUR)
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
        assert set(sessions_api.listed(**query)) == expected, query
    for session in everything | {by_hand}:  # the filter says what the record says
        seen = sessions_api.seen(session)
        assert seen["isLocked"] == (session in {locked, other, by_hand})
        assert seen["isPaid"] == (session == paid)
    assert sessions_api.seen(paid)["paidWeek"] == "2026-03-08"


def test_a_filter_of_locks_knows_of_unlocking(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(LOCKED_TUESDAY)
    assert sessions_api.post(f"/{session}/supervisor-override", reason="Was ill", hours=2).status_code == 200
    assert (sessions_api.listed(locked=True), sessions_api.seen(session)["isLocked"]) == ([], False)
    sessions_api.now += 2 * HOUR
    assert (sessions_api.listed(locked=True), sessions_api.seen(session)["isLocked"]) == ([session], True)
    assert at(sessions_api.seen(session)["lockedAt"]) == sessions_api.now


def test_a_week_begins_on_a_sunday(sessions_api: SessionsApi) -> None:
    error = refused(sessions_api.get(week=date(2026, 3, 16)), "VALIDATION_ERROR", 422)
    assert "2026-03-15" in error["message"]


def test_lists_come_in_pages_latest_first(sessions_api: SessionsApi) -> None:
    sessions = [sessions_api.held(TUESDAY - number * HOUR) for number in range(7)]
    found: list[UUID] = []
    cursor: dict[str, Any] = {}
    while True:
        page = sessions_api.get(limit=3, count=True, fields="id,isLocked", **cursor).json()
        assert page["total"] == 7
        assert all(set(item) == {"id", "isLocked"} for item in page["items"])
        found += [UUID(item["id"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == sessions
    assert sessions_api.listed(sort="sessionDate") == sessions[::-1]


# Making them


def test_a_completed_appointment_is_counted_once_however_often_it_is_asked(sessions_api: SessionsApi) -> None:
    session = sessions_api.held()
    for person in (sessions_api.scheduler, sessions_api.admin, sessions_api.clinician, sessions_api.supervisor):
        by_id = sessions_api.post(by=person, appointmentId=session)
        by_address = sessions_api.ask("POST", f"{BASE}/from-appointment/{session}", person)
        assert (by_id.status_code, by_address.status_code) == (201, 201)
        assert by_id.json() == by_address.json()
        assert (by_id.json()["id"], by_id.json()["version"]) == (str(session), 1)
    [completion] = sessions_api.completions().values()
    assert (completion.id, completion.kind, completion.minutes) == (session, "INDIVIDUAL", 60)
    assert (completion.created_by, completion.created_at) == (sessions_api.scheduler.account_id, sessions_api.now)
    assert [entry.subject_id for entry in sessions_api.recorded("session_completion.made")] == [session]


def test_who_may_not_make_one_makes_none(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(clinician=sessions_api.other)
    for person in (sessions_api.biller, sessions_api.analyst, sessions_api.client):
        for answer in (
            sessions_api.post(by=person, appointmentId=session),
            sessions_api.ask("POST", f"{BASE}/from-appointment/{session}", person),
            sessions_api.post("/bulk-from-appointments", person, appointmentIds=[session]),
        ):
            refused(answer, "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):  # another's session is as if it were not there
        refused(sessions_api.post(by=person, appointmentId=session), "NOT_FOUND", 404)
    refused(sessions_api.post(appointmentId=new_id()), "NOT_FOUND", 404)
    refused(sessions_api.post(appointmentId=sessions_api.held(status="SCHEDULED")), "WRONG_STATUS")
    assert sessions_api.completions() == {}


def test_several_are_counted_at_once_and_each_says_what_became_of_it(sessions_api: SessionsApi) -> None:
    new, known, voided = sessions_api.held(), sessions_api.held(), sessions_api.held()
    open_, foreign = sessions_api.held(status="SCHEDULED"), sessions_api.held(clinician=sessions_api.other)
    sessions_api.post(appointmentId=known)
    assert sessions_api.delete(voided).status_code == 204
    ids = [new, known, voided, open_, foreign, new]
    for repeated in (False, True):
        answer = sessions_api.post("/bulk-from-appointments", sessions_api.supervisor, appointmentIds=ids)
        assert answer.status_code == 200
        said = {UUID(item["appointmentId"]): (item["done"], item["code"]) for item in answer.json()["items"]}
        assert said == {
            new: (True, None),
            known: (True, None),
            voided: (False, "SESSION_VOIDED"),
            open_: (False, "WRONG_STATUS"),
            foreign: (False, "NOT_FOUND"),
        }, repeated
        assert len(answer.json()["items"]) == 5
        assert set(sessions_api.completions()) == {new, known, voided}


def test_a_span_of_days_is_counted_by_the_practices_dates(sessions_api: SessionsApi) -> None:
    evening, next_day = datetime(2026, 3, 17, 3, tzinfo=UTC), datetime(2026, 3, 18, 3, 59, tzinfo=UTC)
    sessions = {
        sessions_api.held(evening),
        sessions_api.held(next_day),
    }  # Monday at eleven, and a minute before Tuesday ends
    outside = {sessions_api.held(evening - DAY), sessions_api.held(next_day + timedelta(minutes=1))}
    answer = sessions_api.post(
        "/bulk-from-appointments", sessions_api.scheduler, from_=date(2026, 3, 16), to=date(2026, 3, 17)
    )
    assert {UUID(item["appointmentId"]) for item in answer.json()["items"] if item["done"]} == sessions
    assert set(sessions_api.completions()) == sessions
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
def test_several_are_named_by_ids_or_by_a_span(sessions_api: SessionsApi, body: dict[str, Any]) -> None:
    refused(sessions_api.ask("POST", f"{BASE}/bulk-from-appointments", json=body), "VALIDATION_ERROR", 422)


# Voiding them


@pytest.mark.parametrize("who", ["admin", "supervisor", "clinician"])
def test_a_session_that_is_not_paid_can_be_voided_for_good(sessions_api: SessionsApi, who: str) -> None:
    session, person = sessions_api.held(), getattr(sessions_api, who)
    assert sessions_api.delete(session, person).status_code == 204
    row = sessions_api.completions()[session]
    assert (row.voided_at, row.voided_by, row.void_reason) == (sessions_api.now, person.account_id, "Entered twice")
    refused(sessions_api.get(f"/{session}"), "NOT_FOUND", 404)
    assert (sessions_api.listed(), sessions_api.listed(voided=True)) == ([], [session])
    [voided] = sessions_api.get(voided=True).json()["items"]
    assert (voided["voidReason"], voided["calculatedAmount"], voided["isPaid"]) == ("Entered twice", "0.00", False)
    refused(sessions_api.delete(session, person), "SESSION_VOIDED")
    refused(sessions_api.post(appointmentId=session), "SESSION_VOIDED")
    assert [entry.subject_id for entry in sessions_api.recorded("session_completion.voided")] == [session]


def test_who_may_not_void_voids_nothing(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(clinician=sessions_api.other)
    for person in (sessions_api.scheduler, sessions_api.biller, sessions_api.analyst, sessions_api.client):
        refused(sessions_api.delete(session, person), "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):
        refused(sessions_api.delete(session, person), "NOT_FOUND", 404)
    assert sessions_api.ask("DELETE", f"{BASE}/{session}").status_code == 422  # nobody voids without a reason
    assert sessions_api.completions() == {}


def test_a_paid_session_is_taken_back_by_an_admin_alone(sessions_api: SessionsApi) -> None:
    session, unpaid = sessions_api.held(signed_at=TUESDAY + HOUR), sessions_api.held()
    pay_for(sessions_api.practice, session, THIS_WEEK, 8000)
    refused(sessions_api.delete(session), "SESSION_PAID")
    for person in (sessions_api.supervisor, sessions_api.clinician, sessions_api.biller, sessions_api.scheduler):
        refused(sessions_api.post(f"/{session}/take-back", person, reason="Never took place"), "FORBIDDEN", 403)
    refused(sessions_api.post(f"/{unpaid}/take-back", reason="Never took place"), "SESSION_NOT_PAID")
    assert all(row.voided_at is None for row in sessions_api.completions().values())
    assert sessions_api.post(f"/{session}/take-back", reason="Never took place").status_code == 204
    assert sessions_api.completions()[session].void_reason == "Never took place"
    [voided] = sessions_api.get(voided=True).json()["items"]
    assert (voided["isPaid"], voided["paidWeek"]) == (True, "2026-03-15")
