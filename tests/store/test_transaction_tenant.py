"""The tenant ends with its transaction, whatever pool it ran on; and keys hold where no policy is asked."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from practice.security.installation import Installation
from practice.store.engine import make_engine, session_in
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.harness import cluster


@pytest.fixture
def one_connection(installation: Installation) -> Iterator[Engine]:
    """A pool of one, so that every transaction gets the connection that the one before it had."""
    engine = make_engine(lambda: installation.store.connect("app"), pool_size=1)
    yield engine
    engine.dispose()


def staff_of(db: Session, practice: PracticeFixture) -> int:
    return db.execute(text("select count(*) from staff where tenant_id = :id"), {"id": practice.id}).scalar_one()


def sees_nothing(engine: Engine, backend: int) -> bool:
    """Whether the next transaction, on the same connection, is outside of all practices."""
    with session_in(engine, None) as db:
        assert db.scalar(text("select pg_backend_pid()")) == backend, "the connection was not reused"
        assert db.scalar(text("select count(*) from practices")) != 0
        found = db.scalar(text("select count(*) from staff")), db.scalar(text("select count(*) from audit_log"))
        return found == (0, 0) and not db.scalar(text("select current_setting('app.tenant_id', true)"))


class Changed(Exception):
    pass


@pytest.mark.parametrize("ending", ["commit", "rollback", "exception", "database error", "error in a savepoint"])
def test_the_next_transaction_on_the_connection_is_in_no_practice(
    one_connection: Engine, practice: PracticeFixture, ending: str
) -> None:
    with suppress(Changed, DBAPIError), session_in(one_connection, practice.id) as db:
        backend = db.scalar(text("select pg_backend_pid()"))
        assert staff_of(db, practice) == 1
        if ending == "rollback":
            db.rollback()
        elif ending == "exception":
            raise Changed
        elif ending == "database error":
            db.execute(text("select 1 / 0"))
        elif ending == "error in a savepoint":
            db.begin_nested()
            db.execute(text("select 1 / 0"))
    assert sees_nothing(one_connection, backend)


def test_and_neither_is_one_after_a_connection_that_was_used_without_a_session(
    one_connection: Engine, practice: PracticeFixture
) -> None:
    with one_connection.connect() as connection:
        backend = connection.scalar(text("select pg_backend_pid()"))
        connection.execute(text("select enter_practice(:id)"), {"id": practice.id})
        assert connection.scalar(text("select count(*) from staff")) == 1
    assert sees_nothing(one_connection, backend)


def test_what_keeps_a_transaction_out_of_a_practice_is_told(one_connection: Engine, practice: PracticeFixture) -> None:
    with one_connection.begin() as connection:
        connection.execute(text("set search_path = nowhere"))
    with (
        pytest.raises(ProgrammingError, match=r"enter_practice.* does not exist"),
        session_in(one_connection, practice.id) as db,
    ):
        staff_of(db, practice)
    with one_connection.begin() as connection:
        connection.execute(text("reset search_path"))
    with session_in(one_connection, practice.id) as db:
        assert staff_of(db, practice) == 1


def test_one_practice_after_another_on_one_connection(one_connection: Engine, practice: PracticeFixture) -> None:
    other = make_practice(practice.installation)
    for here, there in [(practice, other), (other, practice)] * 3:
        with session_in(one_connection, here.id) as db:
            assert (staff_of(db, here), staff_of(db, there)) == (1, 0)


def test_a_savepoint_keeps_the_practice_whether_it_is_released_or_rolled_back(
    one_connection: Engine, practice: PracticeFixture
) -> None:
    with session_in(one_connection, practice.id) as db:
        backend = db.scalar(text("select pg_backend_pid()"))
        with db.begin_nested():
            assert staff_of(db, practice) == 1
            with db.begin_nested() as inner:
                assert staff_of(db, practice) == 1
                inner.rollback()
            assert staff_of(db, practice) == 1
        with suppress(DBAPIError), db.begin_nested():
            db.execute(text("select 1 / 0"))
        assert staff_of(db, practice) == 1
    assert sees_nothing(one_connection, backend)


def test_a_session_that_goes_on_after_its_commit_is_in_the_practice_again(
    one_connection: Engine, practice: PracticeFixture
) -> None:
    with Session(one_connection, info={"tenant_id": practice.id}) as db:
        for _ in range(3):
            assert staff_of(db, practice) == 1
            db.commit()


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_not_even_the_owner_or_a_superuser_can_make_a_reference_across_practices(
    practice: PracticeFixture, role: str
) -> None:
    """References are checked past all policies, so it is the keys that must make this impossible."""
    other = make_practice(practice.installation)
    stranger = other.add("clinician")
    colleague = practice.add("supervisor")
    point = "update staff set supervisor_id = %s where tenant_id = %s and id = %s"
    training = """
        insert into trainings (tenant_id, id, staff_id, kind, completed_on, recorded_at)
        values (%s, %s, %s, 'OTHER', '2026-01-05', now())
    """
    server = cluster.server().conninfo(role, practice.installation.store.database)
    with psycopg.connect(**server, autocommit=True) as connection:
        connection.execute("select set_config('app.tenant_id', %s, false)", [str(practice.id)])
        mine = practice.id, practice.admin.staff_id
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="fk_staff_tenant_id_supervisor_id"):
            connection.execute(point, [stranger.staff_id, *mine])
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="fk_trainings_tenant_id_staff_id"):
            connection.execute(training, [practice.id, new_id(), stranger.staff_id])
        assert connection.execute(point, [colleague.staff_id, *mine]).rowcount == 1
        assert connection.execute(training, [practice.id, new_id(), colleague.staff_id]).rowcount == 1
