"""Schema migrations: applying them, and checking the revision of a database."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from practice.errors import StoreProblem

MIGRATION_LOCK = 7_235_002  # advisory lock: a second `migrate` waits for the first and finds nothing to do


def make_alembic_config(connection: Connection | None = None, metadata: MetaData | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata  # only `alembic check` and autogenerate compare with it
    return config


@cache
def list_revisions() -> tuple[str, ...]:
    """Return all revisions of this version of Caseload, newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(make_alembic_config()).walk_revisions())


def find_newest_revision() -> str:
    return list_revisions()[0]


def read_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection, revision: str = "head") -> None:
    """Migrate up to a revision, as the owner role. Each migration is one transaction."""
    connection.exec_driver_sql("select pg_advisory_lock(%s)", (MIGRATION_LOCK,))
    connection.exec_driver_sql(
        "set lock_timeout = '5s'"
    )  # fail rather than block the statements queued behind the migration
    connection.commit()
    try:
        refuse_newer(connection)
        connection.rollback()  # Alembic commits only a transaction that it began
        command.upgrade(make_alembic_config(connection), revision)
    finally:
        connection.rollback()
        connection.exec_driver_sql("reset lock_timeout")
        connection.exec_driver_sql("select pg_advisory_unlock(%s)", (MIGRATION_LOCK,))
        connection.commit()


def refuse_newer(connection: Connection) -> None:
    """Raise StoreProblem when a newer version of Caseload has migrated the database."""
    current = read_revision(connection)
    if current is not None and current not in list_revisions():
        raise StoreProblem(
            f"The database was migrated by a newer version of Caseload: schema {current} is unknown to this one. "
            "Update Caseload, or use another database."
        )


def require_newest(connection: Connection) -> None:
    """Raise StoreProblem when the schema is not the newest one of this version of Caseload."""
    refuse_newer(connection)
    current, newest = read_revision(connection), find_newest_revision()
    if current != newest:
        raise StoreProblem(
            f"The database is at schema {current or 'none'}, but this version needs {newest}. Run `caseload migrate`."
        )
