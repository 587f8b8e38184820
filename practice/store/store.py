"""The database of an installation, embedded or on a server: connections, preparation and checks."""

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
from practice.store.embedded import ROLES as LOGIN_NAMES
from practice.store.embedded import EmbeddedServer
from practice.store.engine import begin_session, make_engine
from practice.store.migrate import find_newest_revision, migrate, read_revision, require_newest
from practice.store.roles import ROLES, prepare_login, prepare_roles

MIN_SERVER_VERSION = 180000
ConnectionParameters = Mapping[str, Any]
LOGINS = {
    "owner": "the login that owns the database",
    "warehouse": "a login that is a member of the role caseload_warehouse",
}


class Store:
    """The database. Connects as the runtime role; as the owner only to migrate, as a superuser to back up and to
    manage roles."""

    def __init__(
        self,
        data_dir: Path,
        database_url: str | None = None,
        owner_url: str | None = None,
        warehouse_url: str | None = None,
        *,
        pool_size: int = 8,
        database: str = "caseload",
    ) -> None:
        self.embedded = None if database_url else EmbeddedServer(data_dir)
        self._urls = {"app": database_url, "owner": owner_url, "warehouse": warehouse_url}
        self._pool_size = pool_size
        self.database = database

    @cached_property
    def engine(self) -> Engine:
        return make_engine(lambda: self.connect("app"), pool_size=self._pool_size)

    @cached_property
    def side_engine(self) -> Engine:
        """Return an engine for what is committed while a transaction is open.

        Taking a second connection from the main pool could deadlock with other threads that do the same.
        """
        return make_engine(lambda: self.connect("app"), pool_size=1)

    @property
    def administrator_engine(self) -> Engine:
        """Return an engine for managing roles: as the superuser, or on a server with the administrator's login."""
        return make_engine(lambda: self.connect("superuser"), pool_size=0)

    def begin_session(self, tenant_id: UUID) -> AbstractContextManager[Session]:
        """Begin a transaction in a practice, committed at the end of the block."""
        return begin_session(self.engine, tenant_id)

    def begin_system_session(self) -> AbstractContextManager[Session]:
        """Begin a transaction outside all practices, where only system tables show rows."""
        return begin_session(self.engine, None)

    def execute_autocommit(self, statement: LiteralString, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Execute one statement in autocommit mode and return its row, such as counting a request. It holds no locks.

        Bypasses SQLAlchemy, since every request calls this. A dead connection is replaced once.
        """
        for attempt in (1, 2):
            pooled = self.engine.raw_connection()
            driver: Any = pooled.driver_connection
            try:
                driver.autocommit = True
                row = driver.execute(statement, values).fetchone()
                driver.autocommit = False
                pooled.close()
                return row
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

    def build_connection_parameters(self, role: str) -> ConnectionParameters:
        """Return how to connect in a role: `app`, `owner`, `superuser` (on a server the owner) or `warehouse`."""
        if self.embedded:
            return self.embedded.build_conninfo(role, self.database)
        login = "owner" if role == "superuser" else role
        url = self._urls[login]
        if url is None:
            raise StoreProblem(
                f"DATABASE_{login.upper()}_URL is missing: this needs {LOGINS[login]}. "
                "Set it, and run the command again."
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
        """Open a connection. Starts the embedded server if it is not running, also after a crash."""
        options = "-c timezone=UTC"
        if role == "app":  # set per connection: logins do not inherit the settings of their role
            options += " -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
        if role in ("owner", "warehouse") and not self.embedded:
            options += f" -c role=caseload_{role}"
        parameters = {
            **self.build_connection_parameters(role),
            "options": options,
            "connect_timeout": 10,
            "application_name": "caseload",
        }
        # No prepared statements: a generic plan is made for the average practice and reads far too much of a large one.
        # Queries in triggers keep their plans, since they look rows up by whole keys.
        unprepared: dict[str, Any] = {"prepare_threshold": None}
        try:
            return require_supported_server(psycopg.connect(make_conninfo("", **parameters), **unprepared))
        except psycopg.OperationalError as error:
            if self.embedded is None:
                raise StoreProblem(
                    f"Cannot connect to the database at {parameters['host']} as {parameters['user']} "
                    f"({describe_error(error)}). Check that it is running and that DATABASE_URL is right."
                ) from None
        self.embedded.ensure()
        try:
            return psycopg.connect(make_conninfo("", **parameters), **unprepared)
        except psycopg.OperationalError as error:
            raise StoreProblem(
                f"The embedded database refuses the connection ({describe_error(error)}). Run `caseload doctor`."
            ) from None

    def prepare(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Start the database, create its roles and migrate it. Fast when there is nothing to do."""
        if self.embedded:
            progress("Starting the database")
        self.make_roles()
        with self.open_owner_connection("owner") as connection:
            if read_revision(connection) != find_newest_revision():
                progress("Migrating the schema")
                connection.rollback()
                migrate(connection)

    def make_roles(self) -> None:
        """Start the database and create its roles, nothing else."""
        if self.embedded:
            self.embedded.ensure()
        with self.open_owner_connection() as connection:
            if self._has_missing_roles(connection):
                self._prepare_roles()

    def check(self) -> None:
        """Raise StoreProblem for an outdated schema, or a login that row-level security does not restrict."""
        with self.engine.connect() as connection:
            is_privileged = connection.execute(
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
            if is_privileged is None:
                raise StoreProblem("The database is not prepared for Caseload. Run `caseload migrate`.")
            if is_privileged:
                raise StoreProblem(
                    "The login in DATABASE_URL is not restricted to one practice: it is a superuser, may bypass "
                    "row-level security, owns the tables, or reads for the warehouse. Give the service its own login; "
                    "`caseload migrate` creates the one that DATABASE_URL names."
                )
            require_newest(connection)

    def open_owner_connection(self, role: str = "superuser") -> AbstractContextManager[Connection]:
        """Open a connection with the privileges of the owner or a superuser, closed at the end of the block."""
        return make_engine(lambda: self.connect(role), pool_size=0).connect()

    def _has_missing_roles(self, connection: Connection) -> bool:
        count = connection.scalar(
            text("select count(*) from pg_roles where rolname = any(:roles)"), {"roles": list(ROLES)}
        )
        owner = connection.scalar(
            text("select pg_get_userbyid(datdba) from pg_database where datname = current_database()")
        )
        return count != len(ROLES) or owner != "caseload_owner"

    def _prepare_roles(self) -> None:
        with self.open_owner_connection() as connection, connection.begin():
            passwords = None
            if self.embedded:
                passwords = {f"caseload_{name}": self.embedded.read_password(name) for name in LOGIN_NAMES}
            prepare_roles(connection, passwords)
            if not self.embedded:
                app = self.build_connection_parameters("app")
                prepare_login(connection, str(app["user"]), str(app["password"]))


def describe_error(error: psycopg.OperationalError) -> str:
    """Return the first line of the server's message; the rest may quote values."""
    return str(error).strip().splitlines()[0].split("FATAL:")[-1].strip()


def require_supported_server(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return the connection, or raise StoreProblem for an unsupported server. Needs no round trip."""
    version, encoding = connection.info.server_version, connection.info.parameter_status("server_encoding")
    if version >= MIN_SERVER_VERSION and encoding == "UTF8":
        return connection
    connection.close()
    if version < MIN_SERVER_VERSION:
        raise StoreProblem(
            f"The database server is PostgreSQL {version // 10000}, but Caseload needs 18. Upgrade the server, "
            "or unset DATABASE_URL to use the embedded one."
        )
    raise StoreProblem(
        f"The database is encoded in {encoding}, but Caseload needs UTF8. Create one with that encoding, and set "
        "DATABASE_URL to it."
    )
