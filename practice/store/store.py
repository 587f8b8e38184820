"""The database of this installation: the embedded one, or a server by its address. Finds, checks and prepares it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from practice.errors import StoreProblem
from practice.store.embedded import EmbeddedServer
from practice.store.engine import make_engine, session_in
from practice.store.migrate import migrate, newest_revision, require_newest, revision_of
from practice.store.roles import ROLES, prepare_login, prepare_roles

OLDEST_SERVER = 180000
Parameters = Mapping[str, Any]


class Store:
    """Connects as the runtime role; as the owner only to migrate, and as an administrator only to back up."""

    def __init__(
        self,
        data_dir: Path,
        database_url: str | None = None,
        owner_url: str | None = None,
        *,
        pool_size: int = 8,
        database: str = "caseload",
    ) -> None:
        self.embedded = None if database_url else EmbeddedServer(data_dir)
        self._urls = {"app": database_url, "owner": owner_url}
        self._pool_size = pool_size
        self.database = database

    @cached_property
    def engine(self) -> Engine:
        return make_engine(lambda: self.connect("app"), pool_size=self._pool_size)

    @cached_property
    def side_engine(self) -> Engine:
        """For what has to be committed while a transaction is open: whoever holds a connection of the pool and waits
        for a second one may wait for others who do the same."""
        return make_engine(lambda: self.connect("app"), pool_size=1)

    def session_in(self, tenant_id: UUID) -> AbstractContextManager[Session]:
        return session_in(self.engine, tenant_id)

    def system_session(self) -> AbstractContextManager[Session]:
        return session_in(self.engine, None)

    def run_alone(self, statement: LiteralString, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """One statement in a transaction of its own, such as counting a request: it holds no lock a moment longer.

        Straight to the driver, for every request comes through here. A connection that died meanwhile is replaced.
        """
        for attempt in (1, 2):
            pooled = self.engine.raw_connection()
            driver: Any = pooled.driver_connection
            try:
                driver.autocommit = True
                found = driver.execute(statement, values).fetchone()
                driver.autocommit = False
                pooled.close()
                return found
            except psycopg.OperationalError as error:
                pooled.invalidate()
                if attempt == 2 or not driver.broken:
                    raise OperationalError(None, None, error, hide_parameters=True) from None
            except BaseException:
                pooled.invalidate()
                raise
        raise AssertionError

    def close(self) -> None:
        self.engine.dispose()
        self.side_engine.dispose()

    def parameters(self, role: str) -> Parameters:
        """How to connect as `app`, as `owner`, or as `superuser`, who on a server is the owner's login."""
        if self.embedded:
            return self.embedded.conninfo(role, self.database)
        url = self._urls["app" if role == "app" else "owner"]
        if url is None:
            raise StoreProblem(
                "This needs the login that owns the database, and only DATABASE_URL is set. "
                "Set DATABASE_OWNER_URL too, and run it again."
            )
        parts = make_url(url)
        return {
            "host": parts.host,
            "port": parts.port or 5432,
            "user": parts.username,
            "password": parts.password,
            "dbname": parts.database,
            **parts.query,
        }

    def connect(self, role: str) -> psycopg.Connection[Any]:
        """A new connection. The embedded server is started first when it does not run, also after a crash."""
        options = "-c timezone=UTC"
        if role == "app":  # said by the connection: what a role is set to, the logins in it do not inherit
            options += " -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
        if role == "owner" and not self.embedded:
            options += " -c role=caseload_owner"
        parameters = {
            **self.parameters(role),
            "options": options,
            "connect_timeout": 10,
            "application_name": "caseload",
        }
        # Nothing is prepared: a plan that is kept is made for the average practice, and reads far too much of a large
        # one. What triggers ask is planned for good, for it is looked up by whole keys.
        unprepared: dict[str, Any] = {"prepare_threshold": None}
        try:
            return suitable(psycopg.connect(make_conninfo("", **parameters), **unprepared))
        except psycopg.OperationalError as error:
            if self.embedded is None:
                raise StoreProblem(
                    f"The database at {parameters['host']} does not answer as {parameters['user']} "
                    f"({reason(error)}). Check that it runs and that DATABASE_URL is right."
                ) from None
        self.embedded.ensure()
        try:
            return psycopg.connect(make_conninfo("", **parameters), **unprepared)
        except psycopg.OperationalError as error:
            raise StoreProblem(
                f"The embedded database runs, but does not let us in ({reason(error)}). Run `caseload doctor`."
            ) from None

    def prepare(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Make the database ready for this Caseload: started, roles made, migrated. Nothing to do is done quickly."""
        if self.embedded:
            progress("Starting the database")
        self.make_roles()
        with self.owner_connection("owner") as connection:
            if revision_of(connection) != newest_revision():
                progress("Bringing the schema up to date")
                connection.rollback()
                migrate(connection)

    def make_roles(self) -> None:
        """The database started, its roles there, and nothing else in it yet."""
        if self.embedded:
            self.embedded.ensure()
        with self.owner_connection() as connection:
            if self._roles_missing(connection):
                self._prepare_roles()

    def check(self) -> None:
        """Refuse a database that this Caseload must not work on: too old, behind, or a login that sees everything."""
        with self.engine.connect() as connection:
            powers = connection.execute(
                text("""
                    select exists (
                        select from pg_roles as p
                        where pg_has_role(r.oid, p.oid, 'member')
                            and (p.rolsuper or p.rolbypassrls or p.rolname in ('caseload_owner', 'caseload_warehouse'))
                    ) as too_much
                    from pg_roles as r where r.rolname = current_user
                        and exists (select from pg_roles where rolname = 'caseload_owner')
                """)
            ).scalar()
            if powers is None:
                raise StoreProblem("The database has not been prepared for Caseload. Run `caseload migrate`.")
            if powers:
                raise StoreProblem(
                    "The login in DATABASE_URL could pass the walls between practices: it is a superuser, may bypass "
                    "row-level security, owns the tables, or reads for the warehouse. Give the service a login of its "
                    "own; `caseload migrate` makes the one that DATABASE_URL names."
                )
            require_newest(connection)

    def owner_connection(self, role: str = "superuser") -> AbstractContextManager[Connection]:
        return make_engine(lambda: self.connect(role), pool_size=0).connect()

    def _roles_missing(self, connection: Connection) -> bool:
        found = connection.scalar(
            text("select count(*) from pg_roles where rolname = any(:roles)"), {"roles": list(ROLES)}
        )
        owner = connection.scalar(
            text("select pg_get_userbyid(datdba) from pg_database where datname = current_database()")
        )
        return found != len(ROLES) or owner != "caseload_owner"

    def _prepare_roles(self) -> None:
        with self.owner_connection() as connection, connection.begin():
            passwords = None
            if self.embedded:
                passwords = {role: self.embedded.password(role.removeprefix("caseload_")) for role in ROLES}
            prepare_roles(connection, passwords)
            if not self.embedded:
                app = self.parameters("app")
                prepare_login(connection, str(app["user"]), str(app["password"]))


def reason(error: psycopg.OperationalError) -> str:
    """The server's own words, first line only: the rest may quote what was sent."""
    return str(error).strip().splitlines()[0].split("FATAL:")[-1].strip()


def suitable(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """The connection, if the server is one that Caseload can work on. The server said so itself: no round trip."""
    version, encoding = connection.info.server_version, connection.info.parameter_status("server_encoding")
    if version >= OLDEST_SERVER and encoding == "UTF8":
        return connection
    connection.close()
    if version < OLDEST_SERVER:
        raise StoreProblem(
            f"The database server is PostgreSQL {version // 10000}, and Caseload needs 18. Upgrade the server, "
            "or unset DATABASE_URL to use the embedded one."
        )
    raise StoreProblem(
        f"The database is encoded in {encoding}, and Caseload needs UTF8. Make one with that encoding, and name it "
        "in DATABASE_URL."
    )
