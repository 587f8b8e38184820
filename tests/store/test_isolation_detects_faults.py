"""The isolation matrix detects faults: each protection that a superuser removes is reported."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from practice.security.installation import Installation
from practice.store.engine import make_engine
from practice.store.policies import THIS_PRACTICE, find_protection_problems
from tests.support.builders.two_practices import create_two_practices
from tests.support.harness import cluster
from tests.support.oracles import isolation, isolation_catalog


@dataclass
class Altered:
    """A database with rows of two practices whose protections the test alters."""

    database: str
    own: UUID
    other: UUID

    def alter(self, *statements: str) -> None:
        with cluster.connect_as_superuser(self.database) as connection:
            for statement in statements:
                connection.execute(statement)

    def find_leaks(self, *relations: str) -> str:
        return "\n".join(isolation.examine_isolation(self.database, self.own, self.other, relations).leaks)

    def run_doctor(self) -> list[str]:
        with make_engine(lambda: cluster.connect_as_superuser(self.database), pool_size=0).connect() as connection:
            return find_protection_problems(connection)


@pytest.fixture
def altered(own_installation: Installation) -> Altered:
    return Altered(
        own_installation.store.database, *create_two_practices(own_installation, own_installation.store.database)
    )


def test_an_unaltered_database_has_no_faults(altered: Altered) -> None:
    assert altered.find_leaks("staff") == ""
    assert altered.run_doctor() == []


# The policies of a table


def test_a_dropped_policy(altered: Altered) -> None:
    altered.alter("drop policy own_practice on staff")
    leaks = altered.find_leaks("staff")
    assert "SELECT on staff by app, tenant own: {}" in leaks
    assert "INSERT on staff by owner, tenant own: 42501" in leaks
    assert altered.run_doctor() == ["Table staff: the policy own_practice is missing or altered."]


def test_no_force(altered: Altered) -> None:
    altered.alter("alter table staff no force row level security")
    leaks = altered.find_leaks("staff")
    assert "SELECT on staff by owner, tenant own: {'own': 3, 'other': 3}" in leaks
    assert "DELETE on staff by owner, tenant unset: 6" in leaks
    assert "by app" not in leaks
    assert altered.run_doctor() == ["Table staff: the owner is exempt (no FORCE)."]


def test_row_level_security_switched_off(altered: Altered) -> None:
    altered.alter("alter table staff disable row level security")
    leaks = altered.find_leaks("staff")
    for operation in ("SELECT", "SELECT FOR UPDATE", "INSERT", "UPDATE", "MOVE"):
        for setting in ("other", "unset", "empty", "malformed"):
            assert f"{operation} on staff by app, tenant {setting}: " in leaks
    assert altered.run_doctor() == ["Table staff: row-level security is off."]


def test_a_check_that_lets_every_row_in(altered: Altered) -> None:
    altered.alter("alter policy own_practice on staff with check (true)")
    leaks = altered.find_leaks("staff")
    assert "INSERT on staff by app, tenant other: 23505" in leaks
    assert "MOVE on staff by app, tenant own: 3" in leaks
    assert "SELECT on" not in leaks
    assert altered.run_doctor() == ["Table staff: the policy own_practice is missing or altered."]


def test_a_policy_without_a_check_of_its_own(altered: Altered) -> None:
    """PostgreSQL then checks with the USING expression, which holds only until somebody widens it."""
    altered.alter("drop policy own_practice on staff", f"create policy own_practice on staff using ({THIS_PRACTICE})")
    assert "Table staff: the policy own_practice is missing or altered." in altered.find_leaks("staff")
    assert altered.run_doctor() == ["Table staff: the policy own_practice is missing or altered."]


def test_a_policy_that_shows_every_row(altered: Altered) -> None:
    altered.alter("alter policy own_practice on staff using (true)")
    leaks = altered.find_leaks("staff")
    assert "SELECT on staff by app, tenant own: {'own': 3, 'other': 3}" in leaks
    assert "SELECT on staff by app, tenant malformed: {'own': 3, 'other': 3}" in leaks
    assert altered.run_doctor() == ["Table staff: the policy own_practice is missing or altered."]


@pytest.mark.parametrize(
    ("operation", "leak"),
    [
        ("select using (true)", "SELECT on stored_answers by app, tenant unset: {'own': 1, 'other': 1}"),
        ("update using (true)", "UPDATE on stored_answers by app, tenant own: 2"),
        ("delete using (true)", "DELETE on stored_answers by app, tenant empty: 2"),
        ("insert with check (true)", "INSERT on stored_answers by app, tenant other: 23505"),
    ],
)
def test_a_second_policy_that_is_wider_for_one_operation(altered: Altered, operation: str, leak: str) -> None:
    altered.alter(f"create policy helpful on stored_answers for {operation}")
    assert leak in altered.find_leaks("stored_answers")
    assert altered.run_doctor() == ["Table stored_answers: it has policies that Caseload did not create."]


def test_a_warehouse_policy_for_every_role(altered: Altered) -> None:
    altered.alter("alter policy warehouse_read on staff to public")
    assert "SELECT on staff by app, tenant own: {'own': 3, 'other': 3}" in altered.find_leaks("staff")
    [message] = altered.run_doctor()
    assert "warehouse policy allows more" in message


# New relations

SKETCHES = "create table sketches (tenant_id uuid, id uuid, primary key (tenant_id, id))"
OWNED = "alter table sketches owner to caseload_owner"


def insert_sketches(altered: Altered) -> str:
    return f"insert into sketches values ('{altered.own}', uuidv7()), ('{altered.other}', uuidv7())"


def test_a_new_table_of_a_practice_without_a_policy(altered: Altered) -> None:
    altered.alter(SKETCHES, OWNED, insert_sketches(altered), "grant select, insert on sketches to caseload_app")
    leaks = altered.find_leaks("sketches")
    assert "sketches has no entry" in leaks
    assert "SELECT on sketches by app, tenant own: {'own': 1, 'other': 1}" in leaks
    assert "INSERT on sketches by app, tenant unset: 23505" in leaks
    assert [line.split(":")[0] for line in altered.run_doctor()] == ["Table sketches"]


def test_a_new_table_without_an_entry_though_it_is_protected_and_nobody_may_use_it(altered: Altered) -> None:
    altered.alter(
        SKETCHES,
        OWNED,
        insert_sketches(altered),
        "alter table sketches enable row level security",
        "alter table sketches force row level security",
        "create policy own_practice on sketches to caseload_owner, caseload_app "
        f"using ({THIS_PRACTICE}) with check ({THIS_PRACTICE})",
    )
    assert altered.find_leaks("sketches").splitlines() == [
        "sketches has no entry: declare its privileges in tests/support/builders/two_practices.py."
    ]


def test_a_new_table_that_belongs_to_no_practice(altered: Altered) -> None:
    altered.alter("create table sketches (id int primary key)", OWNED)
    leaks = altered.find_leaks("sketches")
    assert "sketches has no entry" in leaks
    assert "The primary key of sketches does not start with tenant_id." in leaks
    assert altered.run_doctor() == [
        "Table sketches: row-level security is off, the owner is exempt (no FORCE), "
        "the policy own_practice is missing or altered."
    ]


def test_a_table_without_rows_of_both_practices(altered: Altered) -> None:
    altered.alter(f"delete from trainings where tenant_id = '{altered.other}'", "delete from recovery_codes")
    leaks = altered.find_leaks("trainings", "recovery_codes")
    assert "trainings has no rows of both practices" in leaks
    assert "recovery_codes has no rows" in leaks


def test_a_view_that_reads_as_the_superuser(altered: Altered) -> None:
    altered.alter(
        "create view people as select tenant_id, last_name from staff", "grant select on people to caseload_app"
    )
    leaks = altered.find_leaks("people")
    assert "SELECT on people by app, tenant own: {'own': 3, 'other': 3}" in leaks
    assert "people is a view without security_invoker: policies do not apply to it." in leaks
    assert "people has no entry" in leaks


def test_a_view_that_reads_as_the_owner_of_the_tables(altered: Altered) -> None:
    """Forced policies apply to it too, but one missing FORCE would open every such view."""
    altered.alter("create view people as select last_name from staff", "alter view people owner to caseload_owner")
    assert "people is a view without security_invoker: policies do not apply to it." in altered.find_leaks("people")
    altered.alter("alter view people set (security_invoker = on)")
    assert "security_invoker" not in altered.find_leaks("people")


def test_a_materialized_view_and_a_sequence_for_all(altered: Altered) -> None:
    altered.alter(
        "create materialized view people as select tenant_id, last_name from staff",
        "grant select on people to caseload_app",
        "create sequence invoice_numbers",
        "grant usage, select on invoice_numbers to caseload_app",
    )
    leaks = altered.find_leaks("people", "invoice_numbers")
    assert "SELECT on people by app, tenant own: {'own': 3, 'other': 3}" in leaks
    assert "people is a materialized view" in leaks
    assert "UPDATE on invoice_numbers by app, tenant own: 1" in leaks
    assert "caseload_app was granted usage on invoice_numbers, which is not listed." in leaks


# Bypasses


def test_a_function_that_runs_with_its_owners_rights(altered: Altered) -> None:
    altered.alter(
        "create function everybody() returns setof staff language sql security definer as 'select * from staff'"
    )
    leaks = altered.find_leaks("staff")
    assert "The function everybody runs with its owner's privileges and is not listed" in leaks
    assert "The function everybody runs with its owner's privileges, but with its caller's search path." in leaks
    assert "The function everybody belongs to" in leaks


def test_a_function_that_everybody_may_call(altered: Altered) -> None:
    altered.alter("grant execute on function chain_audit_entry to public")
    assert altered.find_leaks("staff") == "The function chain_audit_entry may be called by others than listed: public."


def test_a_foreign_key_without_the_practice(altered: Altered) -> None:
    altered.alter(
        "alter table staff add constraint ids_are_unique unique (id)",
        "alter table trainings add constraint plain foreign key (staff_id) references staff (id)",
    )
    assert altered.find_leaks("staff").splitlines() == [
        "The foreign key plain of trainings does not carry tenant_id.",
        "The unique index ids_are_unique of staff does not start with tenant_id.",
    ]


@pytest.mark.parametrize("grantee", ["caseload_app", "caseload_warehouse", "caseload_analyst", "public"])
def test_truncate_granted(altered: Altered, grantee: str) -> None:
    altered.alter(f"grant truncate on stored_answers to {grantee}")
    leaks = altered.find_leaks("stored_answers")
    assert f"{grantee} was granted truncate on stored_answers, which is not listed." in leaks
    role = "analyst" if grantee == "public" else grantee.removeprefix("caseload_")
    assert f"TRUNCATE on stored_answers by {role}, tenant own: -1" in leaks


def test_operations_and_columns_granted_beyond_the_list_and_one_revoked(altered: Altered) -> None:
    altered.alter(
        "grant delete on staff to caseload_app",
        "grant select (last_name) on staff to caseload_analyst",
        "revoke select on trainings from caseload_warehouse",
        "grant select on accounts to caseload_warehouse",
    )
    leaks = altered.find_leaks("staff", "trainings", "accounts")
    assert "DELETE on staff by app, tenant own: 3" in leaks
    assert "caseload_analyst was granted select on staff, which is not listed." in leaks
    assert "SELECT on trainings by warehouse, tenant own: 42501" in leaks
    assert "SELECT on accounts by warehouse, tenant own: " in leaks


def test_a_table_owned_by_the_service_and_an_unlisted_schema(altered: Altered) -> None:
    altered.alter("alter table stored_answers owner to caseload_app", "create schema attic")
    leaks = altered.find_leaks("staff")
    assert "caseload_app owns table stored_answers." in leaks
    assert "The schema attic is not examined" in leaks


def test_a_role_with_dangerous_attributes(altered: Altered) -> None:
    """Uses invented roles: real ones belong to the whole server, where other tests run."""
    with cluster.connect_as_superuser(altered.database) as connection:
        me = connection.info.user
        real = {
            name: attributes
            for name, attributes, _ in connection.execute(isolation_catalog.ROLE_ATTRIBUTES, [["caseload_app", me]])
        }
    assert real["caseload_app"] == []
    assert {"superuser", "bypassrls"} <= set(real[me])
    invented = [("caseload_app", ["bypassrls"], []), ("caseload_analyst", [], ["caseload_owner"])]
    assert list(isolation_catalog.find_role_faults(invented)) == [
        "The role caseload_marts is missing.",
        "The role caseload_owner is missing.",
        "The role caseload_warehouse is missing.",
        "The role caseload_app has attributes that bypass tenant isolation: bypassrls.",
        "The role caseload_analyst is a member of caseload_owner.",
    ]
