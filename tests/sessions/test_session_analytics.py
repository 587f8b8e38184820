"""The session analytics endpoints: deadlines, payment, dashboard, analytics and report."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.billing.models.charges import Charge
from practice.people.trainings import record_training
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.builders.sessions import pay_session
from tests.support.drivers.booking import assert_error, parse_instant
from tests.support.drivers.sessions import DEADLINE, LAST_WEEK, LOCKED_TUESDAY, THIS_WEEK, TUESDAY, SessionsApi

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PATHS = ("compliance/deadlines", "payment/calculation", "dashboard", "analytics", "compliance/report")


def read_figures(
    sessions_api: SessionsApi, path: str, by: Any = None, provider: UUID | None = None, **query: Any
) -> Any:
    response = sessions_api.get(f"/{path}/{provider or sessions_api.clinician.staff_id}", by, **query)
    assert response.status_code == 200, response.text
    return response.json()


def collect_ids(sessions: list[dict[str, Any]]) -> list[UUID]:
    return [UUID(session["id"]) for session in sessions]


@pytest.mark.parametrize("path", PATHS)
def test_each_role_sees_the_figures_within_its_scope(sessions_api: SessionsApi, path: str) -> None:
    """The scheduler sees everything but the payment."""
    clinician_id, other_id = sessions_api.clinician.staff_id, sessions_api.other.staff_id
    scheduler_status = 403 if path == "payment/calculation" else 200
    for person, status, other_status in (
        (sessions_api.admin, 200, 200),
        (sessions_api.supervisor, 200, 404),
        (sessions_api.clinician, 200, 404),
        (sessions_api.other, 404, 200),
        (sessions_api.scheduler, scheduler_status, scheduler_status),
        (sessions_api.biller, 200, 200),
        (sessions_api.analyst, 403, 403),
        (sessions_api.client, 403, 403),
    ):
        assert sessions_api.get(f"/{path}/{clinician_id}", person).status_code == status, person.roles
        assert sessions_api.get(f"/{path}/{other_id}", person).status_code == other_status, person.roles
    assert_error(sessions_api.get(f"/{path}/{new_id()}"), "NOT_FOUND", 404)


# Deadlines


def test_the_deadlines_of_a_week_list_signed_and_unsigned_sessions(sessions_api: SessionsApi) -> None:
    signed, unsigned = sessions_api.add_session(signed_at=TUESDAY + HOUR), sessions_api.add_session(TUESDAY - HOUR)
    sessions_api.add_session(clinician=sessions_api.other)
    last_week = sessions_api.add_session(TUESDAY - 7 * DAY)
    figures = read_figures(sessions_api, "compliance/deadlines")
    sessions = figures.pop("sessions")
    deadline = figures.pop("deadline")
    assert figures == {
        "payPeriodWeek": "2026-03-15",
        "totalSessions": 2,
        "signedSessions": 1,
        "unsignedSessions": 1,
        "isDeadlinePassed": False,
    }
    assert parse_instant(deadline) == DEADLINE
    assert (collect_ids(sessions["signed"]), collect_ids(sessions["unsigned"])) == ([signed], [unsigned])
    assert sessions["signed"][0] == sessions_api.read(signed)
    before = read_figures(sessions_api, "compliance/deadlines", week=LAST_WEEK)
    assert (before["payPeriodWeek"], before["isDeadlinePassed"]) == ("2026-03-08", True)
    assert collect_ids(before["sessions"]["unsigned"]) == [last_week]
    assert_error(
        sessions_api.get(f"/compliance/deadlines/{sessions_api.clinician.staff_id}", week=date(2026, 3, 16)),
        "VALIDATION_ERROR",
        422,
    )


@pytest.mark.parametrize(
    ("now", "week"),
    [
        (DEADLINE - timedelta(microseconds=1), THIS_WEEK),  # the Sunday on which it ends
        (DEADLINE, THIS_WEEK + 7 * DAY),
        (DEADLINE - 7 * DAY, THIS_WEEK),
        (DEADLINE - 7 * DAY - timedelta(microseconds=1), LAST_WEEK),
    ],
)
def test_the_default_week_is_the_one_with_the_next_deadline(
    sessions_api: SessionsApi, now: datetime, week: date
) -> None:
    sessions_api.now = now
    for path in ("compliance/deadlines", "payment/calculation", "dashboard"):
        assert read_figures(sessions_api, path)["payPeriodWeek"] == str(week)


@pytest.mark.parametrize(
    ("week", "begin", "hours"),
    [
        (date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC), 167),
        (date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC), 169),
        (date(2026, 3, 15), datetime(2026, 3, 15, 4, tzinfo=UTC), 168),
    ],
)
def test_weeks_with_a_clock_change_end_at_the_right_instant(
    sessions_api: SessionsApi, week: date, begin: datetime, hours: int
) -> None:
    sessions_api.now = begin + (hours + 30) * HOUR
    with sessions_api.practice.work(now=sessions_api.now) as work:
        record_training(work, Scope.ALL, sessions_api.admin.staff_id, "HIPAA", week)
    first, last, next_week = (
        sessions_api.add_session(start)
        for start in (begin, begin + (hours - 1) * HOUR, begin + hours * HOUR + timedelta(minutes=5))
    )
    figures = read_figures(sessions_api, "compliance/deadlines", week=week)
    assert collect_ids(figures["sessions"]["unsigned"]) == [first, last]
    assert parse_instant(figures["deadline"]) == begin + (hours + 24) * HOUR
    assert figures["isDeadlinePassed"] is True
    assert collect_ids(
        read_figures(sessions_api, "compliance/deadlines", week=week + 7 * DAY)["sessions"]["unsigned"]
    ) == [next_week]


# Payment


def test_the_payment_of_a_week_is_its_preview_for_one_clinician(sessions_api: SessionsApi) -> None:
    sessions_api.set_rate(sessions_api.other, 9000)
    signed = sessions_api.add_session(signed_at=TUESDAY + HOUR)
    late = sessions_api.add_session(LOCKED_TUESDAY, signed_at=TUESDAY)
    waiting = sessions_api.add_session(TUESDAY + HOUR)
    others = sessions_api.add_session(clinician=sessions_api.other, signed_at=TUESDAY + HOUR)
    figures = read_figures(sessions_api, "payment/calculation")
    assert {UUID(line["appointmentId"]): (line["kind"], line["amount"]) for line in figures["lines"]} == {
        signed: ("regular", "80.00"),
        late: ("late", "80.00"),
    }
    assert collect_ids([{"id": line["appointmentId"]} for line in figures["standby"]]) == [waiting]
    assert (figures["totalAmount"], figures["standbyAmount"], figures["problems"]) == ("160.00", "80.00", [])
    assert (figures["providerId"], figures["status"]) == (str(sessions_api.clinician.staff_id), "OPEN")
    assert parse_instant(figures["cutOff"]) == DEADLINE
    assert figures["lines"][0] | {"appointmentId": None} == {
        "appointmentId": None,
        "kind": "late",
        "reason": None,
        "sessionDate": "2026-03-03",
        "durationMinutes": 60,
        "multiplier": "1.00",
        "rate": "80.00",
        "amount": "80.00",
    }
    other = read_figures(sessions_api, "payment/calculation", sessions_api.other, sessions_api.other.staff_id)
    assert [UUID(line["appointmentId"]) for line in other["lines"]] == [others]


def test_a_clinician_without_a_rate_is_a_problem(sessions_api: SessionsApi) -> None:
    sessions_api.add_session(clinician=sessions_api.other, signed_at=TUESDAY + HOUR)
    assert len(read_figures(sessions_api, "payment/calculation", provider=sessions_api.other.staff_id)["problems"]) == 1
    assert read_figures(sessions_api, "payment/calculation")["problems"] == []


# Dashboard


def test_the_dashboard_shows_the_current_and_previous_weeks(sessions_api: SessionsApi) -> None:
    sessions_api.add_session(signed_at=TUESDAY + HOUR)
    sessions_api.add_session(TUESDAY + HOUR)
    sessions_api.post(f"/{sessions_api.add_session(TUESDAY + 2 * HOUR)}/lock-session", reason="Under review")
    sessions_api.add_session(TUESDAY - 7 * DAY)
    sessions_api.add_session(TUESDAY - 7 * DAY, signed_at=TUESDAY)
    figures = read_figures(sessions_api, "dashboard", sessions_api.clinician)
    weeks = figures.pop("lastWeeks")
    assert figures.pop("providerId") == str(sessions_api.clinician.staff_id)
    assert figures.pop("providerName").startswith("Robin Tester")
    assert figures.pop("secondsLeft") == int((DEADLINE - sessions_api.now).total_seconds())
    assert parse_instant(figures.pop("deadline")) == DEADLINE
    assert figures == {
        "payPeriodWeek": "2026-03-15",
        "isDeadlinePassed": False,
        "totalSessions": 3,
        "signedSessions": 1,
        "unsignedSessions": 2,
        "lockedSessions": 1,
        "earned": "160.00",
        "standby": "240.00",
    }
    assert [week["payPeriodWeek"] for week in weeks] == [
        str(THIS_WEEK - number * timedelta(weeks=1)) for number in range(1, 8)
    ]
    last = weeks[0]
    assert (last["totalSessions"], last["signedSessions"], last["lockedSessions"]) == (2, 1, 1)
    assert (last["earned"], last["standby"], last["isDeadlinePassed"]) == ("80.00", "80.00", True)
    assert (weeks[1]["totalSessions"], weeks[1]["earned"]) == (0, "0.00")


def test_the_dashboard_and_the_payment_show_the_same_pay(sessions_api: SessionsApi) -> None:
    """Also with what earlier weeks left: a late session, a pending one and an adjustment."""
    paid = sessions_api.add_session(LOCKED_TUESDAY, signed_at=LOCKED_TUESDAY + HOUR)
    for week in (LAST_WEEK - timedelta(weeks=1), LAST_WEEK):
        assert sessions_api.request("POST", f"/pay/periods/{week}/close").status_code == 200
        sessions_api.now += HOUR
    sessions_api.add_session(TUESDAY - 7 * DAY, signed_at=sessions_api.now - HOUR, status_at=TUESDAY - 6 * DAY)
    sessions_api.add_session(TUESDAY - 7 * DAY)
    sessions_api.add_session(signed_at=TUESDAY + HOUR)
    sessions_api.add_session(TUESDAY + HOUR)
    sessions_api.add_session(clinician=sessions_api.other, signed_at=TUESDAY + HOUR)
    assert sessions_api.post(f"/{paid}/reverse", reason="Never took place").status_code == 204
    for person in (sessions_api.admin, sessions_api.clinician, sessions_api.supervisor, sessions_api.biller):
        payment, figures = (
            read_figures(sessions_api, "payment/calculation", person),
            read_figures(sessions_api, "dashboard", person),
        )
        assert sorted(line["kind"] for line in payment["lines"]) == ["adjustment", "late", "regular"]
        assert (figures["earned"], figures["standby"]) == (payment["totalAmount"], payment["standbyAmount"])
        assert (figures["earned"], figures["standby"]) == ("80.00", "160.00")


def test_the_front_desk_sees_no_amounts(sessions_api: SessionsApi) -> None:
    sessions_api.add_session(signed_at=TUESDAY + HOUR)
    figures = read_figures(sessions_api, "dashboard", sessions_api.scheduler)
    assert (figures["earned"], figures["standby"], figures["signedSessions"]) == (None, None, 1)
    assert all(week["earned"] is None for week in figures["lastWeeks"])
    [session] = read_figures(sessions_api, "compliance/deadlines", sessions_api.scheduler)["sessions"]["signed"]
    assert session["calculatedAmount"] is None


# Analytics


def test_analytics_count_appointments_that_began_in_the_span(sessions_api: SessionsApi) -> None:
    charged = sessions_api.add_session(actual_minutes=50, price_cents=15000)
    sessions_api.add_session(TUESDAY - DAY, price_cents=12000)
    sessions_api.add_session(TUESDAY - 2 * HOUR, status="CANCELLED")
    sessions_api.add_session(TUESDAY - 3 * HOUR, status="NO_SHOW")
    sessions_api.add_session(TUESDAY - 4 * HOUR, status="RESCHEDULED")
    sessions_api.add_session(TUESDAY + 2 * DAY, status="SCHEDULED", status_at=None)
    sessions_api.add_session(TUESDAY - 2 * DAY)
    sessions_api.add_session(clinician=sessions_api.other, price_cents=99999)
    for cents, voided in ((9000, None), (5000, None), (7777, sessions_api.now)):
        put(
            sessions_api.practice,
            Charge(
                id=new_id(),
                client_id=sessions_api.sessions.client,
                clinician_id=sessions_api.clinician.staff_id,
                appointment_id=charged,
                service_date=TUESDAY.date(),
                cpt_code="90837",
                units=1,
                amount_cents=cents,
                created_at=sessions_api.now,
                voided_at=voided,
            ),
        )
    figures = read_figures(sessions_api, "analytics", from_=date(2026, 3, 16), to=date(2026, 3, 20))
    assert figures.pop("providerName").startswith("Robin Tester")
    assert figures == {
        "providerId": str(sessions_api.clinician.staff_id),
        "startDate": "2026-03-16",
        "endDate": "2026-03-20",
        "totalSessions": 4,
        "completedSessions": 2,
        "cancelledSessions": 1,
        "noShowSessions": 1,
        "revenue": "260.00",
        "averageDuration": 55.0,
        "completionRate": 50.0,
    }
    everything = read_figures(sessions_api, "analytics")
    assert (everything["startDate"], everything["endDate"]) == ("2026-02-17", "2026-03-18")
    assert everything["completedSessions"] == 3


def test_only_roles_that_read_charges_see_revenue(sessions_api: SessionsApi) -> None:
    sessions_api.add_session(price_cents=15000)
    for person, revenue in (
        (sessions_api.admin, "150.00"),
        (sessions_api.clinician, "150.00"),
        (sessions_api.biller, "150.00"),
        (sessions_api.supervisor, None),
        (sessions_api.scheduler, None),
    ):
        assert read_figures(sessions_api, "analytics", person)["revenue"] == revenue, person.roles


def test_without_sessions_there_are_no_averages(sessions_api: SessionsApi) -> None:
    figures = read_figures(sessions_api, "analytics")
    assert (figures["totalSessions"], figures["revenue"]) == (0, "0.00")
    assert (figures["averageDuration"], figures["completionRate"]) == (None, None)


@pytest.mark.parametrize("span", [("2026-03-02", "2026-03-01"), ("2025-01-01", "2026-03-01")])
def test_analytics_cover_at_most_a_year(sessions_api: SessionsApi, span: tuple[str, str]) -> None:
    response = sessions_api.get(f"/analytics/{sessions_api.clinician.staff_id}", from_=span[0], to=span[1])
    assert_error(response, "VALIDATION_ERROR", 422)


# Report


def test_the_report_counts_in_time_and_late_signatures_by_week(sessions_api: SessionsApi) -> None:
    old = LAST_WEEK - timedelta(weeks=1)
    sessions_api.add_session(LOCKED_TUESDAY, signed_at=LOCKED_TUESDAY + HOUR)
    sessions_api.add_session(LOCKED_TUESDAY, signed_at=LOCKED_TUESDAY + 5 * DAY + HOUR)
    sessions_api.add_session(LOCKED_TUESDAY, signed_at=TUESDAY)
    unlocked = sessions_api.add_session(LOCKED_TUESDAY)
    sessions_api.post(f"/{unlocked}/supervisor-override", reason="Was ill")
    sessions_api.add_session(TUESDAY - 7 * DAY)
    figures = read_figures(sessions_api, "compliance/report", sessions_api.supervisor, from_=old, to=THIS_WEEK)
    assert figures["providerId"] == str(sessions_api.clinician.staff_id)
    weeks = [
        {name: value for name, value in week.items() if name not in ("deadline", "isDeadlinePassed")}
        for week in figures["weeks"]
    ]
    names = ("totalSessions", "signedInTime", "signedLate", "unsignedSessions", "lockedSessions", "overrides")
    assert weeks == [
        {"payPeriodWeek": "2026-03-01", **dict(zip(names, (4, 2, 1, 1, 0, 1), strict=True)), "complianceRate": 50.0},
        {"payPeriodWeek": "2026-03-08", **dict(zip(names, (1, 0, 0, 1, 1, 0), strict=True)), "complianceRate": 0.0},
        {"payPeriodWeek": "2026-03-15", **dict(zip(names, (0,) * 6, strict=True)), "complianceRate": None},
    ]
    assert [week["isDeadlinePassed"] for week in figures["weeks"]] == [True, True, False]
    assert len(read_figures(sessions_api, "compliance/report")["weeks"]) == 8


@pytest.mark.parametrize(
    "span", [("2026-03-09", "2026-03-15"), ("2026-03-15", "2026-03-08"), ("2024-03-03", "2026-03-15")]
)
def test_a_report_covers_whole_weeks_and_at_most_a_year(sessions_api: SessionsApi, span: tuple[str, str]) -> None:
    response = sessions_api.get(f"/compliance/report/{sessions_api.clinician.staff_id}", from_=span[0], to=span[1])
    assert_error(response, "VALIDATION_ERROR", 422)


def test_a_closed_week_is_shown_as_it_was_paid(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(TUESDAY - 7 * DAY, signed_at=TUESDAY - 6 * DAY)
    pay_session(sessions_api.practice, session, LAST_WEEK, 7500)
    sessions_api.set_rate(sessions_api.clinician, 10000)
    figures = read_figures(sessions_api, "payment/calculation", week=LAST_WEEK)
    assert (figures["status"], figures["totalAmount"]) == ("CLOSED", "75.00")
    assert sessions_api.read(session)["isPaid"] is True
