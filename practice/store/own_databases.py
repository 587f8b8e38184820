"""Databases that other programs fill with tables of their own, each with a login that reaches no other one."""

import secrets
from typing import Any, LiteralString
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from practice.errors import StoreProblem
from practice.store.private_files import write_private
from practice.store.roles import ROLES_LOCK
from practice.store.store import Store


def prepare_embedded_database(store: Store, program: str) -> str:
    """Create a program's database and login in the embedded server unless they exist, and return the URL."""
    assert store.embedded is not None  # noqa: S101 - on a server somebody else decides where it is
    name, file = f"{store.database}_{program}", store.embedded.data_dir / f"{program}-password"
    with store.connect("superuser") as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(%s)", [ROLES_LOCK])  # until the end of the connection
        if not file.exists():
            write_private(file, secrets.token_urlsafe(32))
        password = file.read_text()
        # Dagster connects for each event; a random password of 256 bits needs no costly hash
        connection.execute("set scram_iterations = 1")
        create_own_database(connection, name, name, password)
        run(connection, "alter role {login} password {password}", login=name, password=sql.Literal(password))
        for other in ("postgres", "template1"):  # open to every login by default
            run(connection, "revoke connect on database {database} from public", database=other)
    socket = store.build_connection_parameters("superuser")
    query = urlencode({"host": socket["host"], "port": socket["port"]})
    return f"postgresql://{quote(name)}:{quote(password)}@/{quote(name)}?{query}"


def prepare_server_database(store: Store, url: str) -> None:
    """Create the database and the login that a URL names, unless they exist, on the server of the owner's login."""
    parts = make_url(url)
    with store.connect("superuser") as connection:
        connection.autocommit = True
        try:
            create_own_database(connection, str(parts.database), str(parts.username), str(parts.password))
        except psycopg.errors.InsufficientPrivilege:
            raise StoreProblem(
                f"The login in DATABASE_OWNER_URL may not create the database {parts.database}. "
                f"Create it, owned by a login {parts.username} of its own, and try again."
            ) from None


def create_own_database(connection: psycopg.Connection[Any], database: str, login: str, password: str) -> None:
    """Create a login and a database of its own, unless they exist."""
    if not connection.execute("select 1 from pg_roles where rolname = %s", [login]).fetchone():
        create = "create role {login} login nosuperuser nocreatedb nocreaterole nobypassrls password {password}"
        run(connection, create, login=login, password=sql.Literal(password))
    if not connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
        run(connection, "create database {database} owner {login}", database=database, login=login)
        run(connection, "revoke all on database {database} from public", database=database)
        # a crash may lose its last events, of which no record depends
        run(connection, "alter database {database} set synchronous_commit = off", database=database)


def run(connection: psycopg.Connection[Any], statement: LiteralString, **parts: str | sql.Composable) -> None:
    names = {key: sql.Identifier(part) if isinstance(part, str) else part for key, part in parts.items()}
    connection.execute(sql.SQL(statement).format(**names))
