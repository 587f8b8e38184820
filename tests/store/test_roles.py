"""The database roles, which all databases of a server share."""

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
    with cluster.connect_as_superuser() as connection:
        for name in names:
            connection.execute(f"create database {name}")
    yield names
    for name in names:
        cluster.drop_database(name)


def test_several_databases_of_a_server_can_be_prepared_concurrently(databases: list[str]) -> None:
    def prepare(database: str) -> None:
        store = Store(cluster.get_server().data_dir, database=database)
        for _ in range(25):
            with store.open_owner_connection() as connection, connection.begin():
                prepare_roles(connection, None)

    with ThreadPoolExecutor(len(databases)) as threads:
        list(threads.map(prepare, databases))
    with cluster.connect_as_superuser(databases[0]) as connection:
        comments = connection.execute(
            "select rolname, shobj_description(oid, 'pg_authid') from pg_roles where rolname = any(%s)", [list(ROLES)]
        ).fetchall()
    assert dict(comments) == {role: f"Caseload: {purpose}" for role, purpose in ROLES.items()}
