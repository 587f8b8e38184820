"""The tenant setting ends with its transaction, and keys prevent references that policies do not check."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from practice.security.installation import Installation
from practice.store.engine import begin_session, make_engine
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.harness import cluster


@pytest.fixture
def one_connection(installation: Installation) -> Iterator[Engine]:
    """Yield a pool of one, so that every transaction reuses the connection of the one before."""
    engine = make_engine(lambda: installation.store.connect("app"), pool_size=1)
    yield engine
    engine.dispose()


def count_staff(db: Session, practice: PracticeFixture) -> int:
    return db.execute(text("select count(*) from staff where tenant_id = :id"), {"id": practice.id}).scalar_one()


def is_outside_practices(engine: Engine, backend: int) -> bool:
    """Return whether the next transaction, on the same connection, is outside all practices."""
    with begin_session(engine, None) as db:
        assert db.scalar(text("select pg_backend_pid()")) == backend, "the connection was not reused"
        assert db.scalar(text("select count(*) from practices")) != 0
        counts = db.scalar(text("select count(*) from staff")), db.scalar(text("select count(*) from audit_log"))
        return counts == (0, 0) and not db.scalar(text("select current_setting('app.tenant_id', true)"))


class Changed(Exception):
    pass


@pytest.mark.parametrize("ending", ["commit", "rollback", "exception", "database error", "error in a savepoint"])
def test_the_next_transaction_on_the_connection_is_in_no_practice(
    one_connection: Engine, practice: PracticeFixture, ending: str
) -> None:
    with suppress(Changed, DBAPIError), begin_session(one_connection, practice.id) as db:
        backend = db.scalar(text("select pg_backend_pid()"))
        assert count_staff(db, practice) == 1
        if ending == "rollback":
            db.rollback()
        elif ending == "exception":
            raise Changed
        elif ending == "database error":
            db.execute(text("select 1 / 0"))
        elif ending == "error in a savepoint":
            db.begin_nested()
            db.execute(text("select 1 / 0"))
    assert is_outside_practices(one_connection, backend)


def test_a_transaction_after_a_connection_without_a_session_is_in_no_practice(
    one_connection: Engine, practice: PracticeFixture
) -> None:
    with one_connection.connect() as connection:
        backend = connection.scalar(text("select pg_backend_pid()"))
        connection.execute(text("select enter_practice(:id)"), {"id": practice.id})
        assert connection.scalar(text("select count(*) from staff")) == 1
    assert is_outside_practices(one_connection, backend)


def test_a_transaction_that_cannot_enter_its_practice_reports_why(
    one_connection: Engine, practice: PracticeFixture
) -> None:
    with one_connection.begin() as connection:
        connection.execute(text("set search_path = nowhere"))
    with (
        pytest.raises(ProgrammingError, match=r"enter_practice.* does not exist"),
        begin_session(one_connection, practice.id) as db,
    ):
        count_staff(db, practice)
    with one_connection.begin() as connection:
        connection.execute(text("reset search_path"))
    with begin_session(one_connection, practice.id) as db:
        assert count_staff(db, practice) == 1


def test_one_practice_after_another_on_one_connection(one_connection: Engine, practice: PracticeFixture) -> None:
    other = make_practice(practice.installation)
    for here, there in [(practice, other), (other, practice)] * 3:
        with begin_session(one_connection, here.id) as db:
            assert (count_staff(db, here), count_staff(db, there)) == (1, 0)


def test_a_savepoint_keeps_the_practice_whether_it_is_released_or_rolled_back(
    one_connection: Engine, practice: PracticeFixture
) -> None:
    with begin_session(one_connection, practice.id) as db:
        backend = db.scalar(text("select pg_backend_pid()"))
        with db.begin_nested():
            assert count_staff(db, practice) == 1
            with db.begin_nested() as inner:
                assert count_staff(db, practice) == 1
                inner.rollback()
            assert count_staff(db, practice) == 1
        with suppress(DBAPIError), db.begin_nested():
            db.execute(text("select 1 / 0"))
        assert count_staff(db, practice) == 1
    assert is_outside_practices(one_connection, backend)


def test_a_session_that_continues_after_its_commit_is_in_the_practice_again(
    one_connection: Engine, practice: PracticeFixture
) -> None:
    with Session(one_connection, info={"tenant_id": practice.id}) as db:
        for _ in range(3):
            assert count_staff(db, practice) == 1
            db.commit()


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_not_even_the_owner_or_a_superuser_can_make_a_reference_across_practices(
    practice: PracticeFixture, role: str
) -> None:
    """References are checked without policies, so the keys must make this impossible."""
    other = make_practice(practice.installation)
    stranger = other.add("clinician")
    colleague = practice.add("supervisor")
    point = "update staff set supervisor_id = %s where tenant_id = %s and id = %s"
    training = """
        insert into trainings (tenant_id, id, staff_id, kind, completed_on, recorded_at)
        values (%s, %s, %s, 'OTHER', '2026-01-05', now())
    """
    server = cluster.get_server().build_conninfo(role, practice.installation.store.database)
    with psycopg.connect(**server, autocommit=True) as connection:
        connection.execute("select set_config('app.tenant_id', %s, false)", [str(practice.id)])
        ids = practice.id, practice.admin.staff_id
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="fk_staff_tenant_id_supervisor_id"):
            connection.execute(point, [stranger.staff_id, *ids])
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="fk_trainings_tenant_id_staff_id"):
            connection.execute(training, [practice.id, new_id(), stranger.staff_id])
        assert connection.execute(point, [colleague.staff_id, *ids]).rowcount == 1
        assert connection.execute(training, [practice.id, new_id(), colleague.staff_id]).rowcount == 1
