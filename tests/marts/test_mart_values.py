"""What the marts say: local dates, deadlines, balances and ages."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from practice.analytics.marts import StatementRefused, list_marts, run_statement
from practice.security.installation import Installation
from tests.marts.conftest import Read, change
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service
from tests.support.builders.two_practices import MARTS

TODAY = datetime.now(UTC).date()


def test_local_dates_follow_the_zone_in_force_at_their_instant(practice: PracticeFixture, read: Read) -> None:
    clinician, service = practice.add("clinician"), make_service(practice)
    client = make_client(practice)
    change(practice, time_zone="Asia/Tokyo")  # from New York, at practice.now
    for start in (datetime(2026, 3, 9, 3, 30, tzinfo=UTC), practice.now + timedelta(days=1)):
        make_appointment(practice, clinician, client, service, start, created_at=practice.now - timedelta(days=20))
    assert read("select starts_on, local_time, booked_on, scheduled_minutes from appointments order by starts_at") == [
        (date(2026, 3, 8), time(23, 30), date(2026, 2, 26), 60),
        (date(2026, 3, 20), time(0, 30), date(2026, 2, 26), 60),
    ]
    assert read("select time_zone, zones from time_zones") == [("Asia/Tokyo", ["America/New_York", "Asia/Tokyo"])]


@pytest.mark.parametrize(
    ("signed_at", "in_time"),
    [
        (datetime(2026, 3, 16, 3, 59, tzinfo=UTC), True),  # Sunday 23:59 in New York
        (datetime(2026, 3, 16, 4, 0, tzinfo=UTC), False),
        (None, False),
    ],
)
def test_a_note_is_due_on_the_sunday_after_the_week(
    practice: PracticeFixture, read: Read, signed_at: datetime | None, in_time: bool
) -> None:
    held = {"status": "COMPLETED", "status_at": practice.now, "guarded": False, "note_signed_at": signed_at}
    make_appointment(
        practice,
        practice.add("clinician"),
        make_client(practice),
        make_service(practice, minutes=50),
        datetime(2026, 3, 3, 15, 0, tzinfo=UTC),
        **held,
    )
    assert read("select week_on, note_due_on, is_signed_in_time, minutes, unlock_count, pay_kind from sessions") == [
        (date(2026, 3, 1), date(2026, 3, 8), False if signed_at else in_time, 50, 0, None)
    ]
    assert read("select count(*) from appointments") == [(1,)]


def test_a_charge_shows_what_is_left_of_it(installation: Installation, practice: PracticeFixture, read: Read) -> None:
    client = make_client(practice)
    ids = {"t": practice.id, "client": client, "staff": practice.admin.staff_id}
    with installation.store.begin_session(practice.id) as db:
        for statement in (
            "insert into charges (tenant_id, id, client_id, clinician_id, service_date, cpt_code, units, amount_cents,"
            " created_at, voided_at) select :t, uuidv7(), :client, :staff, '2026-03-01', '90837', 1, 15000, now(), v.at"
            " from (values (null), (now())) as v (at)",
            "insert into payments (tenant_id, id, client_id, payer, method, amount_cents, received_on, posted_at)"
            " select :t, uuidv7(), :client, p.payer, 'CHECK', 9000, '2026-03-01', now()"
            " from (values ('CLIENT'), ('INSURANCE')) as p (payer)",
            "insert into payment_applications (tenant_id, id, payment_id, charge_id, amount_cents, posted_at)"
            " select :t, uuidv7(), p.id, c.id, case p.payer when 'CLIENT' then 2000 else 8000 end, now()"
            " from payments as p, charges as c where c.tenant_id = :t and p.tenant_id = :t and c.voided_at is null",
            "insert into adjustments (tenant_id, id, charge_id, group_code, reason, amount_cents, posted_at)"
            " select :t, uuidv7(), id, 'CO', '45', 1000, now() from charges where tenant_id = :t and voided_at is null",
            "insert into refunds (tenant_id, id, payment_id, amount_cents, method, refunded_at)"
            " select :t, uuidv7(), id, 500, 'CHECK', now() from payments where tenant_id = :t and payer = 'CLIENT'",
        ):
            db.execute(text(statement), ids)
    amounts = "insurance_cents, client_cents, adjusted_cents, balance_cents"
    assert read(f"select {amounts} from charges order by voided_at nulls first") == [
        (8000, 2000, 1000, 4000),
        (0, 0, 0, 0),
    ]
    assert read("select payer, applied_cents, refunded_cents, unapplied_cents from payments order by payer") == [
        ("CLIENT", 2000, 500, 6500),
        ("INSURANCE", 8000, 0, 1000),
    ]


@pytest.mark.parametrize(
    ("birth_date", "is_minor"),
    [
        (date(TODAY.year - 18, 1, 1), False),
        (date(TODAY.year - 17, 12, 31), True),
        (date(2000, 2, 29), False),
    ],
)
def test_of_a_birth_date_only_the_year_and_whether_it_is_a_minors_are_shown(
    practice: PracticeFixture, read: Read, birth_date: date, is_minor: bool
) -> None:
    make_client(practice, birth_date=birth_date, phone=None, sex="Female ")
    query = "select birth_year, is_minor, has_phone, has_email, sex, status from clients"
    assert read(query) == [(birth_date.year, is_minor, False, True, "F", "ACTIVE")]


def test_the_calendar_has_every_local_date_once(practice: PracticeFixture, read: Read) -> None:
    first, last, count, days = read(
        "select min(calendar_on), max(calendar_on), count(*), count(distinct calendar_on) from calendar"
    )[0]
    assert count == days == (last - first).days + 1
    assert last >= TODAY
    query = "select weekday, weekday_name, week_on, month_on, quarter_on, year from calendar where calendar_on = "
    assert read(f"{query} '2026-03-18'") == [
        (3, "Wednesday", date(2026, 3, 15), date(2026, 3, 1), date(2026, 1, 1), 2026)
    ]


def test_every_mart_and_column_is_described(installation: Installation) -> None:
    marts = list_marts(installation.store)
    assert {f"marts.{mart.name}" for mart in marts} == set(MARTS)
    for mart in marts:
        for description in (mart.description, *(column.description for column in mart.columns)):
            assert description.endswith((".", ".`")), mart.name
        for column in mart.columns:
            assert (
                column.type == "timestamp with time zone"
                or not column.name.endswith("_at")
                or column.type.endswith("[]")
            ), column
            assert column.type == "date" or not column.name.endswith("_on"), column
            assert column.type == "bigint" or not column.name.endswith("_cents"), column


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("select * from public.staff", "permission denied for table staff"),
        ("delete from pay_periods", "permission denied|read-only"),
        ("select 1; select 2", "multiple commands"),
        ("set transaction read write", "read-write mode"),
        ("selekt", "syntax error"),
        ("do $$ begin commit; end $$", "invalid transaction termination"),
    ],
)
def test_a_statement_reads_the_marts_and_nothing_else(
    installation: Installation, practice: PracticeFixture, statement: str, problem: str
) -> None:
    with pytest.raises(StatementRefused, match=problem):
        run_statement(installation.store, practice.id, statement)


def test_values_arrive_with_their_types(installation: Installation, practice: PracticeFixture) -> None:
    result = run_statement(installation.store, practice.id, "select 1.5 as x, date '2026-01-01' as d, 'a%' as t")
    assert result == (["x", "d", "t"], [(Decimal("1.5"), date(2026, 1, 1), "a%")])
    assert run_statement(installation.store, practice.id, "commit") == ([], [])
