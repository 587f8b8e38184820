"""Completed sessions over the first API: their fields, who makes, sees, changes and voids them, and what is stored."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.builders.sessions import pay_for
from tests.support.drivers.booking import at, refused
from tests.support.drivers.sessions import BASE, DEADLINE, LAST_WEEK, LOCKED_TUESDAY, THIS_WEEK, TUESDAY, SessionDesk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# What is seen of a session


def test_a_session_has_the_fields_that_it_always_had(desk: SessionDesk) -> None:
    session = desk.held(signed_at=TUESDAY + 3 * HOUR)
    [note] = desk.rows("select id from notes where tenant_id = :tenant_id and appointment_id = :id", id=session)
    seen = desk.seen(session)
    signed_at, deadline = seen.pop("noteSignedAt"), seen.pop("noteDeadline")
    assert seen == {
        "id": str(session),
        "appointmentId": str(session),
        "providerId": str(desk.clinician.staff_id),
        "clientId": str(desk.sessions.client),
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


def test_dates_and_weeks_are_the_practices_own(desk: SessionDesk) -> None:
    """Saturday at eleven in the evening and five minutes into Sunday, in New York."""
    saturday, sunday = datetime(2026, 3, 15, 3, tzinfo=UTC), datetime(2026, 3, 15, 4, 5, tzinfo=UTC)
    first, second = (desk.seen(desk.held(start)) for start in (saturday, sunday))
    assert (first["sessionDate"], first["payPeriodWeek"]) == ("2026-03-14", "2026-03-08")
    assert (second["sessionDate"], second["payPeriodWeek"]) == ("2026-03-15", "2026-03-15")
    assert at(first["noteDeadline"]) == DEADLINE - 7 * DAY
    assert at(second["noteDeadline"]) == DEADLINE


def test_an_unsigned_session_of_a_week_that_is_over_is_locked_since_its_deadline(desk: SessionDesk) -> None:
    desk.held()
    session = desk.held(LOCKED_TUESDAY)
    seen = desk.seen(session)
    assert (seen["isNoteSigned"], seen["noteSignedAt"], seen["noteId"], seen["isLocked"]) == (False, None, None, True)
    assert seen["lockedAt"] == seen["noteDeadline"]
    assert at(seen["lockedAt"]) == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert seen["lateness"] == "hold"


def test_minutes_and_kind_are_those_of_the_completion(desk: SessionDesk) -> None:
    intake = make_service(desk.practice, minutes=45, kind="INTAKE")
    session = desk.held(service=intake)
    assert desk.post(by=desk.scheduler, appointmentId=session).status_code == 201
    change = "update services set minutes = 90, kind = 'GROUP' where tenant_id = :tenant_id and id = :id returning id"
    desk.rows(change, id=intake)
    seen = desk.seen(session)
    assert (seen["sessionType"], seen["durationMinutes"], seen["calculatedAmount"]) == ("INTAKE", 45, "75.00")


def test_a_group_is_paid_under_one_of_its_seats(desk: SessionDesk) -> None:
    from practice.scheduling.models.appointments import GroupSession

    service = make_service(desk.practice, kind="GROUP", capacity=4)
    group = GroupSession(id=new_id(), clinician_id=desk.clinician.staff_id, service_id=service)
    group.starts_at, group.ends_at, group.capacity, group.created_at = TUESDAY, TUESDAY + HOUR, 4, desk.now
    put(desk.practice, group)
    seats = [desk.held(service=service, client=make_client(desk.practice), group_session_id=group.id) for _ in range(3)]
    amounts = [desk.seen(seat)["calculatedAmount"] for seat in sorted(seats, key=str)]
    assert amounts == ["120.00", "0.00", "0.00"]


def test_amounts_are_for_those_who_read_this_pay(desk: SessionDesk) -> None:
    session = desk.held()
    for person, amount in (
        (desk.admin, "80.00"),
        (desk.supervisor, "80.00"),
        (desk.clinician, "80.00"),
        (desk.biller, "80.00"),
        (desk.scheduler, None),
    ):
        assert desk.seen(session, person)["calculatedAmount"] == amount, person.roles
        [item] = desk.get("", person).json()["items"]
        assert item["calculatedAmount"] == amount
    assert desk.seen(desk.held(clinician=desk.other))["calculatedAmount"] is None  # nobody set a rate


def test_who_sees_which_sessions(desk: SessionDesk) -> None:
    own, others = desk.held(), desk.held(clinician=desk.other)
    supervisors = desk.held(clinician=desk.supervisor)
    everything = {own, others, supervisors}
    for person, expected in (
        (desk.admin, everything),
        (desk.scheduler, everything),
        (desk.biller, everything),
        (desk.supervisor, {own, supervisors}),
        (desk.clinician, {own}),
        (desk.other, {others}),
    ):
        assert set(desk.listed(person)) == expected, person.roles
        for session in everything:
            status = 200 if session in expected else 404
            assert desk.get(f"/{session}", person).status_code == status
    for person in (desk.analyst, desk.client):
        assert desk.get("", person).status_code == 403
        assert desk.get(f"/{own}", person).status_code == 403


def test_only_completed_appointments_are_sessions(desk: SessionDesk) -> None:
    for status in ("SCHEDULED", "NO_SHOW", "CANCELLED", "IN_PROGRESS"):
        appointment = desk.held(status=status)
        assert desk.get(f"/{appointment}").status_code == 404
    assert desk.listed() == []


def test_lists_are_found_by_their_filters(desk: SessionDesk) -> None:
    plain, signed = desk.held(), desk.held(signed_at=TUESDAY + HOUR)
    locked = desk.held(LOCKED_TUESDAY)
    late = desk.held(LOCKED_TUESDAY, signed_at=TUESDAY)
    paid = desk.held(TUESDAY - 7 * DAY, signed_at=TUESDAY)
    other = desk.held(TUESDAY - 7 * DAY, clinician=desk.other, client=make_client(desk.practice))
    pay_for(desk.practice, paid, LAST_WEEK)
    everything = {plain, signed, locked, late, paid, other}
    by_hand = desk.held(TUESDAY + HOUR)
    assert desk.post(f"/{by_hand}/lock-session", reason="Under review").status_code == 200
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
        ({"provider": desk.other.staff_id}, {other}),
        ({"client": desk.sessions.client, "week": LAST_WEEK}, {paid}),
        ({"voided": True}, set()),
    ):
        assert set(desk.listed(**query)) == expected, query
    for session in everything | {by_hand}:  # the filter says what the record says
        seen = desk.seen(session)
        assert seen["isLocked"] == (session in {locked, other, by_hand})
        assert seen["isPaid"] == (session == paid)
    assert desk.seen(paid)["paidWeek"] == "2026-03-08"


def test_a_filter_of_locks_knows_of_unlocking(desk: SessionDesk) -> None:
    session = desk.held(LOCKED_TUESDAY)
    assert desk.post(f"/{session}/supervisor-override", reason="Was ill", hours=2).status_code == 200
    assert (desk.listed(locked=True), desk.seen(session)["isLocked"]) == ([], False)
    desk.now += 2 * HOUR
    assert (desk.listed(locked=True), desk.seen(session)["isLocked"]) == ([session], True)
    assert at(desk.seen(session)["lockedAt"]) == desk.now


def test_a_week_begins_on_a_sunday(desk: SessionDesk) -> None:
    error = refused(desk.get(week=date(2026, 3, 16)), "VALIDATION_ERROR", 422)
    assert "2026-03-15" in error["message"]


def test_lists_come_in_pages_latest_first(desk: SessionDesk) -> None:
    sessions = [desk.held(TUESDAY - number * HOUR) for number in range(7)]
    found: list[UUID] = []
    cursor: dict[str, Any] = {}
    while True:
        page = desk.get(limit=3, count=True, fields="id,isLocked", **cursor).json()
        assert page["total"] == 7
        assert all(set(item) == {"id", "isLocked"} for item in page["items"])
        found += [UUID(item["id"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == sessions
    assert desk.listed(sort="sessionDate") == sessions[::-1]


# Making them


def test_a_completed_appointment_is_counted_once_however_often_it_is_asked(desk: SessionDesk) -> None:
    session = desk.held()
    for person in (desk.scheduler, desk.admin, desk.clinician, desk.supervisor):
        by_id = desk.post(by=person, appointmentId=session)
        by_address = desk.ask("POST", f"{BASE}/from-appointment/{session}", person)
        assert (by_id.status_code, by_address.status_code) == (201, 201)
        assert by_id.json() == by_address.json()
        assert (by_id.json()["id"], by_id.json()["version"]) == (str(session), 1)
    [completion] = desk.completions().values()
    assert (completion.id, completion.kind, completion.minutes) == (session, "INDIVIDUAL", 60)
    assert (completion.created_by, completion.created_at) == (desk.scheduler.account_id, desk.now)
    assert [entry.subject_id for entry in desk.recorded("session_completion.made")] == [session]


def test_who_may_not_make_one_makes_none(desk: SessionDesk) -> None:
    session = desk.held(clinician=desk.other)
    for person in (desk.biller, desk.analyst, desk.client):
        for answer in (
            desk.post(by=person, appointmentId=session),
            desk.ask("POST", f"{BASE}/from-appointment/{session}", person),
            desk.post("/bulk-from-appointments", person, appointmentIds=[session]),
        ):
            refused(answer, "FORBIDDEN", 403)
    for person in (desk.clinician, desk.supervisor):  # another's session is as if it were not there
        refused(desk.post(by=person, appointmentId=session), "NOT_FOUND", 404)
    refused(desk.post(appointmentId=new_id()), "NOT_FOUND", 404)
    refused(desk.post(appointmentId=desk.held(status="SCHEDULED")), "WRONG_STATUS")
    assert desk.completions() == {}


def test_several_are_counted_at_once_and_each_says_what_became_of_it(desk: SessionDesk) -> None:
    new, known, voided = desk.held(), desk.held(), desk.held()
    open_, foreign = desk.held(status="SCHEDULED"), desk.held(clinician=desk.other)
    desk.post(appointmentId=known)
    assert desk.delete(voided).status_code == 204
    ids = [new, known, voided, open_, foreign, new]
    for repeated in (False, True):
        answer = desk.post("/bulk-from-appointments", desk.supervisor, appointmentIds=ids)
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
        assert set(desk.completions()) == {new, known, voided}


def test_a_span_of_days_is_counted_by_the_practices_dates(desk: SessionDesk) -> None:
    evening, next_day = datetime(2026, 3, 17, 3, tzinfo=UTC), datetime(2026, 3, 18, 3, 59, tzinfo=UTC)
    sessions = {desk.held(evening), desk.held(next_day)}  # Monday at eleven, and a minute before Tuesday ends
    outside = {desk.held(evening - DAY), desk.held(next_day + timedelta(minutes=1))}
    answer = desk.post("/bulk-from-appointments", desk.scheduler, from_=date(2026, 3, 16), to=date(2026, 3, 17))
    assert {UUID(item["appointmentId"]) for item in answer.json()["items"] if item["done"]} == sessions
    assert set(desk.completions()) == sessions
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
def test_several_are_named_by_ids_or_by_a_span(desk: SessionDesk, body: dict[str, Any]) -> None:
    refused(desk.ask("POST", f"{BASE}/bulk-from-appointments", json=body), "VALIDATION_ERROR", 422)


# Voiding them


@pytest.mark.parametrize("who", ["admin", "supervisor", "clinician"])
def test_a_session_that_is_not_paid_can_be_voided_for_good(desk: SessionDesk, who: str) -> None:
    session, person = desk.held(), getattr(desk, who)
    assert desk.delete(session, person).status_code == 204
    row = desk.completions()[session]
    assert (row.voided_at, row.voided_by, row.void_reason) == (desk.now, person.account_id, "Entered twice")
    refused(desk.get(f"/{session}"), "NOT_FOUND", 404)
    assert (desk.listed(), desk.listed(voided=True)) == ([], [session])
    [voided] = desk.get(voided=True).json()["items"]
    assert (voided["voidReason"], voided["calculatedAmount"], voided["isPaid"]) == ("Entered twice", "0.00", False)
    refused(desk.delete(session, person), "SESSION_VOIDED")
    refused(desk.post(appointmentId=session), "SESSION_VOIDED")
    assert [entry.subject_id for entry in desk.recorded("session_completion.voided")] == [session]


def test_who_may_not_void_voids_nothing(desk: SessionDesk) -> None:
    session = desk.held(clinician=desk.other)
    for person in (desk.scheduler, desk.biller, desk.analyst, desk.client):
        refused(desk.delete(session, person), "FORBIDDEN", 403)
    for person in (desk.clinician, desk.supervisor):
        refused(desk.delete(session, person), "NOT_FOUND", 404)
    assert desk.ask("DELETE", f"{BASE}/{session}").status_code == 422  # nobody voids without a reason
    assert desk.completions() == {}


def test_a_paid_session_is_taken_back_by_an_admin_alone(desk: SessionDesk) -> None:
    session, unpaid = desk.held(signed_at=TUESDAY + HOUR), desk.held()
    pay_for(desk.practice, session, THIS_WEEK, 8000)
    refused(desk.delete(session), "SESSION_PAID")
    for person in (desk.supervisor, desk.clinician, desk.biller, desk.scheduler):
        refused(desk.post(f"/{session}/take-back", person, reason="Never took place"), "FORBIDDEN", 403)
    refused(desk.post(f"/{unpaid}/take-back", reason="Never took place"), "SESSION_NOT_PAID")
    assert all(row.voided_at is None for row in desk.completions().values())
    assert desk.post(f"/{session}/take-back", reason="Never took place").status_code == 204
    assert desk.completions()[session].void_reason == "Never took place"
    [voided] = desk.get(voided=True).json()["items"]
    assert (voided["isPaid"], voided["paidWeek"]) == (True, "2026-03-15")
