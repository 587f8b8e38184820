"""Analysts read the marts of their practice and nothing else, and each protection that is taken away is noticed."""

import pytest

from practice.security.installation import Installation
from practice.store.engine import make_engine
from practice.store.policies import find_protection_problems
from tests.support.builders.analysts import connect_analyst, make_analysts
from tests.support.builders.two_practices import create_two_practices
from tests.support.harness import cluster
from tests.support.oracles.marts_isolation import examine_marts, find_foreign_values


def test_nothing_leaks_for_any_mart_table_reader_or_setting(own_installation: Installation) -> None:
    database = own_installation.store.database
    own, other = create_two_practices(own_installation, database)
    with make_analysts(own_installation, own, other) as analysts:
        leaks, cells = examine_marts(own_installation, own, other, analysts)
        assert leaks == [], "\n".join(leaks)
        assert cells > 4 * 3 * 80, "three analysts, four settings, every relation"
        with connect_analyst(own_installation, analysts[0]) as connection:
            assert find_foreign_values(connection, database, own) == []
            assert find_foreign_values(connection, database, other) != [], "the search finds nothing at all"


@pytest.mark.parametrize(
    ("statement", "leak"),
    [
        ("alter policy marts_read on clients using (true)", "analyst of own reads 2 of marts.clients and not 1"),
        ("drop policy marts_read on clients", "analyst of own reads 0 of marts.clients and not 1"),
        ("alter policy own_practice on clients to public", "analyst of own reads 2 of marts.clients and not 1"),
        ("alter view marts.clients owner to caseload_superuser", "View marts.clients: it does not read as"),
        ("alter view marts.clients reset (security_barrier)", "View marts.clients: it does not read as"),
        ("grant select on clients to caseload_analyst", "analyst of own reads 0 of clients and not 42501"),
        ("grant select (first_name) on clients to caseload_marts", "select on clients.first_name, which no mart needs"),
        ("create view marts.people as select 1 as one", "marts.people has no entry"),
        ("create table marts.copies (id int)", "marts.copies has no entry"),
        ("comment on column marts.staff.roles is null", "marts.staff.roles has no comment"),
        ("grant create on schema marts to caseload_analyst", "caseload_analyst may create objects in the schema marts"),
    ],
)
def test_what_is_taken_away_is_noticed(own_installation: Installation, statement: str, leak: str) -> None:
    database = own_installation.store.database
    own, other = create_two_practices(own_installation, database)
    with make_analysts(own_installation, own, other) as analysts:
        with cluster.connect_as_superuser(database) as connection:
            connection.execute(statement)
        leaks, _ = examine_marts(own_installation, own, other, analysts, {"clients", "marts.clients"})
    assert leak in "\n".join(leaks)


def test_every_policy_that_the_marts_rest_on_is_missed_by_the_doctor(own_installation: Installation) -> None:
    engine = make_engine(lambda: cluster.connect_as_superuser(own_installation.store.database), pool_size=0)
    dropped = 0
    with engine.connect() as connection:
        assert find_protection_problems(connection) == []
        policies = connection.exec_driver_sql(
            "select schemaname || '.' || tablename, policyname from pg_policies where policyname <> 'warehouse_read'"
        ).all()
        connection.rollback()
        for table, policy in policies:
            connection.exec_driver_sql("begin")
            connection.exec_driver_sql(f"drop policy {policy} on {table}")
            problems = find_protection_problems(connection)
            connection.exec_driver_sql("rollback")
            assert problems == [f"Table {table.removeprefix('public.')}: the policy {policy} is missing or altered."], (
                policy
            )
            dropped += 1
    assert dropped > 60


@pytest.mark.parametrize(
    "statement",
    [
        "grant caseload_app to {login}",
        "grant caseload_marts to {login}",
        "alter role {login} bypassrls",
        "grant select on accounts to {login}",
        "grant temporary on database {database} to {login}",
    ],
)
def test_a_login_that_may_do_more_is_named(own_installation: Installation, statement: str) -> None:
    database = own_installation.store.database
    own, _ = create_two_practices(own_installation, database)
    with make_analysts(own_installation, own) as [analyst]:
        with cluster.connect_as_superuser(database) as connection:
            connection.execute(statement.format(login=analyst.login, database=database))
        with own_installation.store.engine.connect() as connection:
            problems = find_protection_problems(connection)
        with cluster.connect_as_superuser(database) as connection:
            connection.execute(f"drop owned by {analyst.login}")
    assert problems == [f"Login {analyst.login}: it may do more than read the marts of one practice."]
