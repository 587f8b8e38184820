"""Database logins of analysts: one per person and practice, for the views of schema `marts` and nothing else."""

import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import delete, select, text
from sqlalchemy.exc import ProgrammingError

from practice.errors import Refusal, StoreProblem
from practice.security.installation import Installation
from practice.security.models import AnalystLogin
from practice.security.work import Actor, Work, begin_work

MAX_NAME_LENGTH = 100
CONNECTION_LIMIT = 8
SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "10min",
    "search_path": "marts",
    "timezone": "UTC",
}
"""Conveniences that an analyst can change. The limits are the privileges of the role and the policies."""


class AnalystCredentials(NamedTuple):
    """A new login, and its password, which is stored nowhere."""

    login: str
    password: str


class InvalidAnalystName(Refusal):
    """The name of an analyst is empty, too long or not printable.

    Fix: use a short name, such as the person's first name.
    """

    code = "INVALID_ANALYST_NAME"
    status = 422


class AnalystExists(Refusal):
    """The practice already has an analyst of this name.

    Fix: choose another name, or remove that analyst first.
    """

    code = "ANALYST_EXISTS"


class AnalystNotFound(Refusal):
    """The practice has no analyst of this name.

    Fix: choose one of those that `caseload analyst list` shows.
    """

    code = "ANALYST_NOT_FOUND"
    status = 404


@contextmanager
def begin_administrator_work(installation: Installation, actor: Actor, now: datetime) -> Generator[Work]:
    """Begin a unit of work that may create and drop roles. Raise StoreProblem if the administrator's login may not."""
    try:
        with begin_work(
            installation.store.administrator_engine, installation.keys, installation.email_outbox, actor, now
        ) as work:
            yield work
    except ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise StoreProblem(
                "The login in DATABASE_OWNER_URL may not manage roles. Give it CREATEROLE, or use the administrator's "
                "login."
            ) from None
        raise


# Locks and large objects are shared by all practices of a database, and everybody may use them unless that is revoked.
SHARED = """
    pronamespace = 'pg_catalog'::regnamespace
    and (proname ~ '^pg_(try_)?advisory_' or proname ~ '^lo_' or proname in ('loread', 'lowrite'))
"""
REVOKE_SHARED = f"""
    do $$
    declare shared regprocedure;
    begin
        for shared in
            select oid::regprocedure from pg_proc
            where {SHARED} and has_function_privilege('caseload_analyst', oid, 'execute')
        loop
            execute format('revoke execute on function %s from public', shared);
            execute format(
                'grant execute on function %s to caseload_app, caseload_owner, caseload_warehouse', shared
            );
        end loop;
    end $$
"""
COUNT_SHARED = f"""
    select count(*) from pg_proc where {SHARED} and has_function_privilege('caseload_analyst', oid, 'execute')
"""


def close_shared_functions(work: Work) -> None:
    """Take the functions that reach beyond a practice from analysts, or raise StoreProblem if the login may not."""
    work.db.execute(text(REVOKE_SHARED))
    if work.db.scalar(text(COUNT_SHARED)):
        raise StoreProblem(
            "Analysts could block other practices with locks: the login in DATABASE_OWNER_URL may not revoke the "
            "functions pg_advisory_* and lo_* from PUBLIC. Create the first analyst with an administrator's login."
        )


def create_analyst(work: Work, name: str) -> AnalystCredentials:
    """Create a login for a person who analyzes the practice. `work` has to be an administrator's."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidAnalystName(f"Invalid name of an analyst: expected 1 to {MAX_NAME_LENGTH} printable characters.")
    work.serialize_on("analysts")
    close_shared_functions(work)
    if find_login(work, name) is not None:
        raise AnalystExists(f"The practice already has an analyst {name!r}. Choose another name.")
    login, password = f"analyst_{secrets.token_hex(8)}", secrets.token_urlsafe(24)
    driver: Any = work.db.connection().connection.driver_connection
    # The server receives a verifier, so that no statement holds the password.
    verifier = driver.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    run(
        work,
        "create role {login} login nosuperuser nobypassrls nocreatedb nocreaterole inherit "
        f"connection limit {CONNECTION_LIMIT} password {{verifier}}",
        login=sql.Identifier(login),
        verifier=sql.Literal(verifier),
    )
    run(work, "grant caseload_analyst to {login} with inherit true, set false", login=sql.Identifier(login))
    run(work, "grant {login} to current_user", login=sql.Identifier(login))  # to end its sessions and drop it later
    for setting, value in SETTINGS.items():
        run(
            work,
            "alter role {login} set {setting} = {value}",
            login=sql.Identifier(login),
            setting=sql.Identifier(setting),
            value=sql.Literal(value),
        )
    work.db.add(AnalystLogin(login=login, tenant_id=work.tenant_id, name=name, created_at=work.now))
    work.record("analyst.created", login=login, name=name)
    return AnalystCredentials(login, password)


def list_analysts(work: Work) -> Sequence[AnalystLogin]:
    """Return the analysts of the practice by name."""
    query = select(AnalystLogin).where(AnalystLogin.tenant_id == work.tenant_id)
    return work.db.scalars(query.order_by(AnalystLogin.name)).all()


def remove_analyst(installation: Installation, actor: Actor, name: str, now: datetime) -> None:
    """End the sessions of an analyst's login, and drop it. After an interruption, run it again."""
    with begin_administrator_work(installation, actor, now) as work:
        login = find_login(work, name.strip())
        if login is None:
            raise AnalystNotFound(f"Analyst not found: {name!r}. Run `caseload analyst list` to see the names.")
        has_role = work.db.scalar(text("select true from pg_roles where rolname = :login"), {"login": login})
        if has_role:  # a restore into another server brings none
            run(work, "alter role {login} nologin", login=sql.Identifier(login))
    # Committed: no session can begin any more.
    with begin_administrator_work(installation, actor, now) as work:
        if has_role:
            query = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = :login"
            work.db.execute(text(query), {"login": login})
            run(work, "drop owned by {login}", login=sql.Identifier(login))
            run(work, "drop role {login}", login=sql.Identifier(login))
        work.db.execute(delete(AnalystLogin).where(AnalystLogin.login == login))
        work.record("analyst.removed", login=login, name=name.strip())


def find_login(work: Work, name: str) -> str | None:
    """Return the login of an analyst of the practice, if there is one of this name."""
    query = select(AnalystLogin.login)
    return work.db.scalar(query.where(AnalystLogin.tenant_id == work.tenant_id, AnalystLogin.name == name))


def run(work: Work, template: LiteralString, **parts: sql.Composable) -> None:
    work.db.connection().exec_driver_sql(sql.SQL(template).format(**parts).as_string())
