"""Bringing a database to the schema that this Caseload knows, and telling how far one is."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from practice.errors import StoreProblem

ONE_AT_A_TIME = 7_235_002  # advisory lock: a second `migrate` waits for the first and then finds nothing to do


def alembic_config(connection: Connection | None = None, metadata: MetaData | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = (
        metadata  # what to compare with; only `alembic check` and the writing of migrations do
    )
    return config


@cache
def known_revisions() -> tuple[str, ...]:
    """All that this Caseload carries, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions())


def newest_revision() -> str:
    return known_revisions()[0]


def revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connection: Connection, revision: str = "head") -> None:
    """Up to a revision, as the owner role. Each migration is one transaction: it is there whole, or not at all."""
    connection.exec_driver_sql("select pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
    connection.exec_driver_sql("set lock_timeout = '5s'")  # rather give up than hold up everybody behind us
    connection.commit()
    try:
        refuse_newer(connection)
        connection.rollback()  # Alembic commits only a transaction that it began itself
        command.upgrade(alembic_config(connection), revision)
    finally:
        connection.rollback()
        connection.exec_driver_sql("reset lock_timeout")
        connection.exec_driver_sql("select pg_advisory_unlock(%s)", (ONE_AT_A_TIME,))
        connection.commit()


def refuse_newer(connection: Connection) -> None:
    current = revision_of(connection)
    if current is not None and current not in known_revisions():
        raise StoreProblem(
            f"The database was migrated by a newer Caseload (its schema is {current}, which this one does not know). "
            "Update Caseload, or point it at another database."
        )


def require_newest(connection: Connection) -> None:
    """Refuse to work on a schema that is not the one this Caseload knows."""
    refuse_newer(connection)
    current, newest = revision_of(connection), newest_revision()
    if current != newest:
        raise StoreProblem(
            f"The database is at schema {current or 'none'}, and this Caseload needs {newest}. Run `caseload migrate`."
        )
