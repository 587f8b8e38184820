"""What an analyst may try: each attempt is refused, or shows the own practice alone."""

import psycopg
import pytest

from practice.security.installation import Installation
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.builders.schedule import make_client

REFUSED = [
    *("set role caseload_app", "set role caseload_analyst", "set role caseload_marts", "set role caseload_owner"),
    *("set session authorization caseload_app", "select set_config('role', 'caseload_owner', false)"),
    *("select * from public.staff", "select * from public.clients", "select * from public.analyst_logins"),
    *("select * from public.accounts", "select * from public.practices", "select * from analytics.metric_cells"),
    "select public.enter_practice('00000000-0000-0000-0000-000000000000', now())",
    "select query_to_xml('select * from public.staff', true, true, '')",
    "do $$ begin perform count(*) from public.staff; end $$",
    *("copy public.staff to stdout", "copy (select 1) to '/tmp/caseload-analyst'", "copy (select 1) to program 'id'"),
    *("select pg_read_file('/etc/passwd')", "select pg_ls_dir('.')", "select * from pg_authid"),
    *("select * from pg_statistic", "select * from pg_largeobject", "show data_directory"),
    *("create temporary table mine (id int)", "create table marts.mine (id int)", "create schema mine"),
    "create function marts.mine() returns int language sql as 'select 1'",
    "create view marts.mine as select 1",
    "explain select * from public.clients",
    "update marts.pay_periods set week_on = null",
    "select lo_export(1, '/tmp/caseload-analyst')",
    *("select pg_advisory_lock(7235001)", "select pg_try_advisory_lock(1, 2)", "select pg_advisory_unlock_all()"),
    *("select lo_from_bytea(0, 'a')", "select lo_create(0)", "select lo_get(1)"),
]


@pytest.mark.parametrize("statement", REFUSED)
def test_attempts_beyond_the_marts_are_refused(analyst: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute(statement)  # ty: ignore[no-matching-overload]


@pytest.mark.parametrize(
    "attempt",
    [
        "set app.tenant_id = '{other}'",
        "select set_config('app.tenant_id', '{other}', false)",
        "set app.tenant_id = 'malformed'",
        "alter role current_user set app.tenant_id = '{other}'",
        "set search_path = public, analytics, pg_temp",
        "set row_security = on",
        "set session_replication_role = replica",
        "set debug_parallel_query = on",
    ],
)
def test_settings_do_not_change_what_is_shown(
    installation: Installation, practice: PracticeFixture, analyst: psycopg.Connection, attempt: str
) -> None:
    other = make_practice(installation)
    own_client, _ = make_client(practice), make_client(other)
    try:
        analyst.execute(attempt.format(other=other.id))  # ty: ignore[no-matching-overload]
    except psycopg.errors.InsufficientPrivilege:
        assert "replication" in attempt or "alter role" in attempt
    assert analyst.execute("select client_id from marts.clients").fetchall() == [(own_client,)]
    staff = (
        "select s.staff_id from marts.staff as s left join marts.clients as c on s.staff_id = c.primary_clinician_id"
    )
    assert analyst.execute(staff).fetchall() == [(practice.admin.staff_id,)]
    assert analyst.execute("select public.analyst_practice()").fetchone() == (practice.id,)


def test_row_security_switched_off_is_an_error_and_no_way_around(
    practice: PracticeFixture, analyst: psycopg.Connection
) -> None:
    make_client(practice)
    analyst.execute("set row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        analyst.execute("select * from marts.clients")


def test_functions_with_errors_see_no_row_of_another_practice(
    installation: Installation, practice: PracticeFixture, analyst: psycopg.Connection
) -> None:
    """A condition that fails on a value would print it, if it ran before the policy."""
    other = make_practice(installation)
    make_client(other, birth_date="1955-05-05")
    make_client(practice, birth_date="1999-09-09")
    years = "select birth_year from marts.clients where "
    for condition in ("1 / (birth_year - 1955) > 0", "(select 1 / (birth_year - 1955)) > 0"):
        assert analyst.execute(years + condition).fetchall() == []  # ty: ignore[no-matching-overload]
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="1999x"):
        analyst.execute(years + "cast(birth_year::text || 'x' as integer) = 1")
    with pytest.raises(psycopg.errors.DivisionByZero):
        analyst.execute("select 1 / (birth_year - 1999) from marts.clients")


def test_statistics_and_plans_show_no_values(
    installation: Installation, practice: PracticeFixture, analyst: psycopg.Connection
) -> None:
    other = make_practice(installation)
    for _ in range(30):
        make_client(other, first_name="Canarywise")
    with installation.store.open_owner_connection() as connection:
        connection.exec_driver_sql("analyze clients")
        known = connection.exec_driver_sql(
            "select count(*) from pg_stats where most_common_vals::text like '%%Canarywise%%'"
        )
        assert known.scalar(), "the statistics have the name, for who may see them"
    for view in ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"):
        query = f"select count(*) from {view} where schemaname in ('public', 'analytics', 'marts')"
        assert analyst.execute(query).fetchone() == (0,)  # ty: ignore[no-matching-overload]
    plan = analyst.execute("explain (analyze, verbose, buffers off) select * from marts.clients").fetchall()
    assert "Canarywise" not in str(plan)
    assert str(other.id) not in str(plan)


def test_the_practice_is_a_condition_of_an_index(
    installation: Installation, practice: PracticeFixture, analyst: psycopg.Connection
) -> None:
    make_client(practice)
    for mart in ("appointments", "sessions", "notes", "charges", "payments", "clients", "pay_lines"):
        plan = analyst.execute(f"explain select * from marts.{mart}").fetchall()  # ty: ignore[no-matching-overload]
        text = "\n".join(line for (line,) in plan)
        assert "Index Cond: (tenant_id = analyst_practice())" in text, text


def test_other_sessions_show_no_statements(practice: PracticeFixture, analyst: psycopg.Connection) -> None:
    with practice.work() as work:
        work.db.connection().exec_driver_sql("select 'secret statement'")
        shown = analyst.execute("select query from pg_stat_activity where usename = 'caseload_app'").fetchall()
    assert shown
    assert {query for (query,) in shown} == {"<insufficient privilege>"}
