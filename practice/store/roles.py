"""The database roles: owner of the tables, service, warehouse, marts and analysts."""

from collections.abc import Mapping
from typing import LiteralString

from psycopg import sql
from sqlalchemy import Connection, text

ROLES = {
    "caseload_owner": "owns every table; runs migrations and nothing else",
    "caseload_app": "the service itself: reads and writes what row-level security lets through",
    "caseload_warehouse": "reads the records of all practices to build the warehouse",
    "caseload_marts": "owns the views of schema marts, which read as this role; nobody signs in as it",
    "caseload_analyst": "reads marts; given to the logins of analysts, one per person and practice",
}
ROLES_LOCK = 7_235_001  # advisory lock: of two processes that prepare a database, the second waits and finds the roles


def prepare_roles(connection: Connection, passwords: Mapping[str, str] | None) -> None:
    """Create the missing roles and make caseload_owner the owner of the database. Needs a superuser or CREATEROLE.

    With passwords (embedded) the roles can sign in; on a server they are groups that logins become members of.
    """

    def run(template: LiteralString, **parts: sql.Composable) -> None:
        connection.exec_driver_sql(sql.SQL(template).format(**parts).as_string())

    run(f"select pg_advisory_xact_lock({ROLES_LOCK})")
    known = set(connection.scalars(text("select rolname from pg_roles where rolname like 'caseload_%'")))
    for role in ROLES:
        if role not in known:
            run("create role {role} nosuperuser nobypassrls nocreatedb nocreaterole inherit", role=sql.Identifier(role))
        # Roles belong to the whole server, advisory locks to one database. A comment locks its role until the
        # transaction ends, so a process that prepares another database waits here instead of failing further down.
        run(
            "comment on role {role} is {purpose}",
            role=sql.Identifier(role),
            purpose=sql.Literal(f"Caseload: {ROLES[role]}"),
        )
        if passwords and role in passwords:
            run(
                "alter role {role} login password {password}",
                role=sql.Identifier(role),
                password=sql.Literal(passwords[role]),
            )
    me, database = connection.execute(text("select current_user, current_database()")).one()
    database = sql.Identifier(database)
    if me != "caseload_owner":
        run("grant caseload_owner to {me}", me=sql.Identifier(me))
        run("alter database {database} owner to caseload_owner", database=database)
    run("revoke all on database {database} from public", database=database)
    run("grant connect on database {database} to caseload_app, caseload_warehouse, caseload_analyst", database=database)
    run("grant temporary on database {database} to caseload_app", database=database)
    # Not inherited, so that neither gets more rights: migrations create the views as their owner, and `caseload sql`
    # reads as analysts do.
    run("grant caseload_marts to caseload_owner with inherit false, set true")
    run("grant caseload_analyst to caseload_app with inherit false, set true")


def prepare_login(connection: Connection, login: str, password: str) -> None:
    """Create the login of the service on a server, as a member of the runtime role and of no other."""
    if connection.scalar(text("select 1 from pg_roles where rolname = :login"), {"login": login}) is None:
        connection.exec_driver_sql(
            sql.SQL("create role {login} login nosuperuser nobypassrls password {password}")
            .format(login=sql.Identifier(login), password=sql.Literal(password))
            .as_string()
        )
    if login != "caseload_app":
        connection.exec_driver_sql(
            sql.SQL("grant caseload_app to {login}").format(login=sql.Identifier(login)).as_string()
        )
