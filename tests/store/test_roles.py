"""The database's roles, which all databases of a server share."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from practice.store.ids import new_id
from practice.store.roles import ROLES, prepare_roles
from practice.store.store import Store
from tests.support.harness import cluster


@pytest.fixture
def databases() -> Iterator[list[str]]:
    cluster.prepare_template()
    names = [f"roles_{new_id().hex}" for _ in range(3)]
    with cluster.superuser() as connection:
        for name in names:
            connection.execute(f"create database {name}")
    yield names
    for name in names:
        cluster.drop(name)


def test_several_databases_of_a_server_are_prepared_at_once(databases: list[str]) -> None:
    def prepare(database: str) -> None:
        store = Store(cluster.server().data_dir, database=database)
        for _ in range(25):
            with store.owner_connection() as connection, connection.begin():
                prepare_roles(connection, None)

    with ThreadPoolExecutor(len(databases)) as threads:
        list(threads.map(prepare, databases))
    with cluster.superuser(databases[0]) as connection:
        described = connection.execute(
            "select rolname, shobj_description(oid, 'pg_authid') from pg_roles where rolname = any(%s)", [list(ROLES)]
        ).fetchall()
    assert dict(described) == {role: f"Caseload: {purpose}" for role, purpose in ROLES.items()}
