"""Logins of analysts: created once with a password, limited to one practice, and ended with their sessions."""

import psycopg
import pytest
from sqlalchemy import text

from practice.errors import StoreProblem
from practice.security.analysts import (
    AnalystExists,
    AnalystNotFound,
    InvalidAnalystName,
    begin_administrator_work,
    create_analyst,
    list_analysts,
    remove_analyst,
)
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.store.store import Store
from tests.marts.conftest import change
from tests.support.builders.analysts import connect_analyst, make_analysts
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.harness import cluster


def count_roles(login: str) -> int:
    with cluster.connect_as_superuser() as connection:
        [count] = connection.execute("select count(*) from pg_roles where rolname = %s", [login]).fetchone()
        return count


def read_audit(practice: PracticeFixture) -> list[tuple[str, dict[str, str]]]:
    with practice.work() as work:
        query = "select action, details from audit_log where tenant_id = :t and action like 'analyst.%' order by seq"
        return [tuple(row) for row in work.db.execute(text(query), {"t": practice.id})]


def test_a_login_reads_its_practice_until_it_is_removed(installation: Installation, practice: PracticeFixture) -> None:
    with make_analysts(installation, practice.id) as [credentials]:
        with practice.work() as work:
            assert [(analyst.name, analyst.login) for analyst in list_analysts(work)] == [("Nina", credentials.login)]
        reader = connect_analyst(installation, credentials)
        assert reader.execute("select count(*) from marts.staff").fetchone() == (1,)
        remove_analyst(installation, practice.actor(), "Nina", NOW)
        with pytest.raises(psycopg.OperationalError):
            reader.execute("select 1")
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            connect_analyst(installation, credentials)
        assert count_roles(credentials.login) == 0
        with practice.work() as work:
            assert list_analysts(work) == []
        facts = {"login": credentials.login, "name": "Nina"}
        assert read_audit(practice) == [("analyst.created", facts), ("analyst.removed", facts)]
        with pytest.raises(AnalystNotFound):
            remove_analyst(installation, practice.actor(), "Nina", NOW)


def test_a_removal_that_was_interrupted_is_finished_by_the_next(
    installation: Installation, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_analysts(installation, practice.id) as [credentials]:
        reader = connect_analyst(installation, credentials)
        with monkeypatch.context() as patch:
            patch.setattr("practice.security.analysts.delete", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                remove_analyst(installation, practice.actor(), "Nina", NOW)
        with pytest.raises(psycopg.OperationalError):
            reader.execute("select 1")
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            connect_analyst(installation, credentials)
        remove_analyst(installation, practice.actor(), "Nina", NOW)
        assert count_roles(credentials.login) == 0


def test_a_login_that_did_not_come_with_a_restore_can_be_removed(
    installation: Installation, practice: PracticeFixture
) -> None:
    with make_analysts(installation, practice.id) as [credentials]:
        with cluster.connect_as_superuser(installation.store.database) as connection:
            connection.execute(f"drop role {credentials.login}")
        remove_analyst(installation, practice.actor(), "Nina", NOW)
        with practice.work() as work:
            assert list_analysts(work) == []


def test_names_are_unique_in_a_practice_and_valid(installation: Installation, practice: PracticeFixture) -> None:
    other = make_practice(installation)
    with make_analysts(installation, practice.id, other.id):
        for name, refusal in (("Nina", AnalystExists), (" Nina ", AnalystExists), ("", InvalidAnalystName)):
            with pytest.raises(refusal), begin_administrator_work(installation, practice.actor(), NOW) as work:
                create_analyst(work, name)
        with pytest.raises(InvalidAnalystName), begin_administrator_work(installation, practice.actor(), NOW) as work:
            create_analyst(work, "Ni\nna")


def test_nothing_is_created_when_the_work_fails(installation: Installation, practice: PracticeFixture) -> None:
    logins = []

    def create_and_fail() -> None:
        with begin_administrator_work(installation, practice.actor(), NOW) as work:
            logins.append(create_analyst(work, "Nina").login)
            assert work.db.scalar(text("select count(*) from pg_roles where rolname = :login"), {"login": logins[0]})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        create_and_fail()
    assert count_roles(logins[0]) == 0
    assert read_audit(practice) == []


def test_a_suspended_practice_shows_nothing(
    installation: Installation, practice: PracticeFixture, analyst: psycopg.Connection
) -> None:
    assert analyst.execute("select count(*) from marts.staff").fetchone() == (1,)
    change(practice, status="SUSPENDED")
    assert analyst.execute("select count(*) from marts.staff").fetchone() == (0,)
    assert analyst.execute("select count(*) from marts.time_zones").fetchone() == (0,)


def test_names_of_logins_tell_nothing_of_people_or_practices(
    installation: Installation, practice: PracticeFixture, analyst: psycopg.Connection
) -> None:
    """Everybody who can connect sees the names, comments and settings of all roles."""
    shown = str(analyst.execute("select * from pg_roles").fetchall())
    shown += str(analyst.execute("select * from pg_db_role_setting").fetchall())
    shown += str(analyst.execute("select * from pg_shdescription").fetchall())
    assert "Nina" not in shown
    assert str(practice.id) not in shown


def test_sessions_begin_read_only_and_with_limits(installation: Installation, practice: PracticeFixture) -> None:
    with make_analysts(installation, practice.id) as [credentials]:
        place = cluster.get_server().build_conninfo("app", installation.store.database)
        login = {"user": credentials.login, "password": credentials.password}
        with psycopg.connect(**place | login) as reader:
            assert reader.execute("select count(*) from staff").fetchone() == (1,)
            shown = [
                reader.execute(f"show {name}").fetchone()[0]  # ty: ignore[no-matching-overload]
                for name in ("default_transaction_read_only", "statement_timeout", "timezone")
            ]
        assert shown == ["on", "10min", "UTC"]


def test_an_administrator_without_the_right_to_create_roles_is_told_so(
    installation: Installation, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begin_administrator_work(installation, Actor(practice.id), NOW) as work:
        create_analyst(work, "Omar")  # the first one of a database revokes functions, which needs more rights
    monkeypatch.setattr(Store, "administrator_engine", installation.store.engine)
    with (
        pytest.raises(StoreProblem, match="CREATEROLE"),
        begin_administrator_work(installation, Actor(practice.id), NOW) as work,
    ):
        create_analyst(work, "Nina")
